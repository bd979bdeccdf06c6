"""Temporary."""
import numpy as np
import pandas as pd
from helpers.frames import group_labels
from helpers.priors import Columns, check_columns
from helpers.exact.gaussian import divide, name_product


def sufficient_statistics(frame, *, outcome=Columns.outcome, predictor=Columns.predictor, group=Columns.group, covariates=()):
    named = Columns(outcome, predictor, group, tuple(covariates))
    check_columns(frame, named)
    labels = group_labels(frame, group)
    code = labels.cat.codes.to_numpy()
    n = np.bincount(code)
    names = [*(["predictor"] if predictor else []), *covariates, "outcome"]
    cols = [*([predictor] if predictor else []), *covariates, outcome]
    v = frame[cols].to_numpy(float)
    o = v[0]
    by = lambda a: np.column_stack([np.bincount(code, c) for c in a.T])
    mean = by(v - o) / n[:, None]
    d = v - o - mean[code]
    out = {"n": n} | {f"{k}_mean": o[i] + mean[:, i] for i, k in enumerate(names)}
    for a in range(len(names)):
        for b in range(a, len(names)):
            out[name_product(names[a], names[b])] = np.bincount(code, d[:, a] * d[:, b])
    r = d[:, -1]
    if predictor:
        r = r - divide(out["product_ss"], out["predictor_ss"])[code] * d[:, 0]
    out["residual_ss"] = np.bincount(code, r * r)
    return pd.DataFrame(out, index=pd.Index(labels.cat.categories, name=group))
