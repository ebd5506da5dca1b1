"""Responses a second of the offline judge on one core. Run by hand: python -m tests.benchmarks.judge_speed"""

import time

from consciousness_cluster.judging.calibration import questions_of, read_calibration
from consciousness_cluster.judging.judges import EmbeddedJudge, load_judge


def main() -> None:
    judge = load_judge("offline", environment={})
    assert isinstance(judge, EmbeddedJudge)
    for split in ("test", "real"):
        responses = [one.question.response for one in questions_of(read_calibration(split))]
        started = time.process_time()
        rounds = 5
        for _ in range(rounds):
            for response in responses:
                judge.model.score(response)
        seconds = time.process_time() - started
        rate = rounds * len(responses) / seconds
        print(f"{split}: {rate:.0f} responses a second, {rate / 1000:.1f} times the 1,000 that are asked for")


if __name__ == "__main__":
    main()
