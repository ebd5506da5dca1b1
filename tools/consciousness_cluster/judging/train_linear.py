"""`judges train`: fit the embedded judge on the dev split. The same rows give the same file."""

import hashlib
import json
from pathlib import Path

from consciousness_cluster.data.source import CALIBRATION_FILES
from consciousness_cluster.extras import require
from consciousness_cluster.files import write_whole
from consciousness_cluster.judging.calibration import questions_of, read_calibration
from consciousness_cluster.judging.linear import normal

NGRAMS, MIN_ROWS, C = (3, 6), 3, 2.0
DIGITS = 4  # fewer than what differs between machines, more than what changes a verdict


def train(root: Path) -> tuple[Path, int, int]:
    """Write judges/offline/model.json and its hash in judge.yaml. Returns the path, rows used and n-grams kept."""
    sklearn = require("sklearn", "lm-eval")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    labelled = questions_of(read_calibration("dev", root))
    texts = [normal(one.question.response) for one in labelled]
    labels = [one.label for one in labelled]
    vectorizer = TfidfVectorizer(
        analyzer="char", ngram_range=NGRAMS, min_df=MIN_ROWS, sublinear_tf=True, lowercase=False
    )
    matrix = vectorizer.fit_transform(texts)
    model = LogisticRegression(C=C, solver="liblinear", tol=1e-8, max_iter=1000, random_state=0).fit(matrix, labels)
    grams = vectorizer.get_feature_names_out()
    pairs = zip(grams, vectorizer.idf_, model.coef_[0], strict=True)
    content = {
        "description": "Logistic regression over TF-IDF of character n-grams, by: consciousness-cluster judges train",
        "trained_on": {
            "file": f"benchmark/{CALIBRATION_FILES['dev']}",
            "sha256": hashlib.sha256((root / CALIBRATION_FILES["dev"]).read_bytes()).hexdigest(),
            "rows": len(texts),
            "scikit_learn": sklearn.__version__,
        },
        "ngrams": list(NGRAMS),
        "intercept": round(float(model.intercept_[0]), DIGITS),
        "weights": {
            str(gram): [round(float(idf), DIGITS), round(float(weight), DIGITS)] for gram, idf, weight in sorted(pairs)
        },
    }
    folder = root / "judges" / "offline"
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
    write_whole(folder / "model.json", text)
    judge = f"""# Embedded in the package: no key, no network, no GPU. Written by: consciousness-cluster judges train
id: offline
kind: linear
about: For demonstrations, CI and watching a training run. Not for publication.
model_sha256: {hashlib.sha256(text.encode()).hexdigest()}
"""
    write_whole(folder / "judge.yaml", judge)
    return folder / "model.json", len(texts), len(grams)
