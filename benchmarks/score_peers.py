"""The peers of scores that benchmarks/scores.py measures, each with our score of the same kind.

They get the same arrays in double precision, and where they have them the same folds and penalties:
transformer-ranker (pip install transformer-ranker), scikit-learn, and SFDA with the generalised eigenproblem
of its authors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.moments.ridge import PENALTIES


def sfda_by_eigenproblem(features: np.ndarray, labels: np.ndarray) -> str:
    """SFDA as its authors compute it (TencentARC/SFDA metrics.py at 3b7edf7): eigh(Sb, Sw) twice."""
    from scipy.linalg import eigh
    from scipy.special import softmax

    x, classes = np.asarray(features, dtype=np.float64), int(labels.max()) + 1
    counts = np.bincount(labels)
    strength = None
    for turn in range(2):
        means = np.stack([x[labels == label].mean(axis=0) for label in range(classes)])
        within = sum(
            np.cov(x[labels == label].T, bias=True) * counts[label] / len(x) for label in range(classes)
        )
        between = np.cov(x.T, bias=True) - within
        if strength is None:
            strength = max(np.exp(-5 * np.linalg.norm(within, 2)), 1e-10)
        shrunk = (1 - strength) * within + strength * np.trace(within) / len(within) * np.eye(len(within))
        values, vectors = eigh(between, shrunk)
        vectors = vectors[:, np.argsort(values)[::-1]]
        weights = means @ vectors @ vectors.T
        logits = x @ weights.T - 0.5 * np.diag(means @ weights.T) + np.log(counts / len(x))
        probs = softmax(logits, axis=1)
        if turn == 0:
            own = softmax(probs, axis=1)[np.arange(len(x)), labels][:, None]
            others = (means.sum(axis=0) - means[labels]) / (classes - 1)
            x = own * x + (1 - own) * others
    return f"{probs[np.arange(len(x)), labels].mean():.4g}"


def peers_of(
    features: np.ndarray, labels: np.ndarray, folds: np.ndarray
) -> dict[str, tuple[str, Callable[[], object]]]:
    """Return for each peer our score of the same kind and its work."""
    found: dict[str, tuple[str, Callable[[], object]]] = {
        "SFDA by eigh(Sb, Sw)": ("sfda", lambda: sfda_by_eigenproblem(features, labels)),
    }

    def estimator(name: str) -> Callable[[], object]:
        def work() -> str:
            import torch
            from transformer_ranker import estimators

            peer, x = getattr(estimators, name)(), torch.from_numpy(features).double()
            return f"{peer.fit(embeddings=x, labels=torch.from_numpy(labels)):.4g}"

        return work

    def judged(make: Callable[[], object]) -> Callable[[], object]:
        def work() -> str:
            from sklearn.model_selection import PredefinedSplit, cross_val_score

            x = features.astype(np.float64)
            return f"{cross_val_score(make(), x, labels, cv=PredefinedSplit(folds)).mean():.4g}"

        return work

    if _is_there("transformer_ranker"):
        found["transformer-ranker LogME"] = ("logme", estimator("LogME"))
        found["transformer-ranker HScore"] = ("h_score_regularised", estimator("HScore"))
        found["transformer-ranker NearestNeighbors"] = ("loo_knn", estimator("NearestNeighbors"))
    for name, score, make in learners_of(features):
        found[f"scikit-learn {name}, 5 folds"] = (score, judged(make))
    return found


def learners_of(features: np.ndarray) -> list[tuple[str, str, Callable[[], object]]]:
    """Return the learners of scikit-learn, each with our score of the same kind."""

    def logistic() -> object:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=200))

    def discriminant() -> object:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")

    eigenvalue = features.var(axis=0, dtype=np.float64).sum() * len(features) / min(features.shape)

    def ridge() -> object:
        from sklearn.linear_model import RidgeClassifierCV

        return RidgeClassifierCV(np.array(PENALTIES) * eigenvalue)

    return [
        ("LDA", "lda_cv", discriminant),
        ("RidgeClassifierCV", "ridge_cv", ridge),
        ("LogisticRegression", "logistic_cv", logistic),
    ]


def _is_there(package: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(package) is not None
