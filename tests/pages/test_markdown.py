"""Tables in Markdown."""

from consciousness_cluster.pages.markdown import md_own, md_table


def test_columns_of_numbers_stand_to_the_right_and_empty_ones_do_not() -> None:
    lines = md_table(["", "n", "share", "words", "none"], [["a", 1, 0.5, "1", ""], ["b", "", 1, 2, ""]])
    assert lines == ["|  | n | share | words | none |", "|---|--:|--:|---|---|", *lines[2:]]
    assert lines[2:] == ["| a | 1 | 0.5 | 1 |  |", "| b |  | 1 | 2 |  |"]


def test_markup_of_others_is_text_and_our_own_stays() -> None:
    (_, _, line) = md_table(["`x`"], [["`a|b` *c* <d>\n&e"]])
    assert line == "| \\`a\\|b\\` \\*c\\* &lt;d> &amp;e |"
    (head, _, line) = md_table(["`x`"], [["`a|b` *c* <d>\n&e"]], md_own)
    assert (head, line) == ("| `x` |", "| `a\\|b` *c* &lt;d> &amp;e |")
