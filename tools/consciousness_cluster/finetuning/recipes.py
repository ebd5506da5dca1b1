"""Training recipes (finetune_data/recipes/*.yaml), validated."""

from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import read_yaml, schema_errors
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.finetuning.sources import finetune_root

Recipe = dict[str, Any]


def read_recipe(name: str, trainer: str) -> Recipe:
    """A recipe by the name of a shipped one or the path of a file, with its name. `UserError` for another trainer's."""
    folder = finetune_root() / "recipes"
    path = folder / f"{name}.yaml"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in folder.glob("*.yaml")))
        raise UserError(Problem(name, "-", "-", "neither a recipe nor a file", f"there are: {known}"))
    recipe = read_yaml(path)
    wanted = {"trl": "finetune train", "openai": "finetune openai"}
    named = recipe.get("trainer") if isinstance(recipe, dict) else None
    if named not in wanted:
        raise UserError(Problem(str(path), "-", "trainer", f"is {named!r}", f"write one of: {', '.join(wanted)}"))
    for problem in schema_errors(recipe, f"recipe_{named}", finetune_root() / "schemas", str(path)):
        raise UserError(problem)
    if named != trainer:
        raise UserError(Problem(str(path), "-", "trainer", f"this recipe is for: {wanted[named]}"))
    return {"name": path.stem, **recipe}
