import numpy as np
import pytest

from helpers.flipbook import widget


def test_the_counters_give_standard_normal_and_independent_numbers():
    z = widget.draw_normals(np.arange(400_000))
    moments = [z.mean(), z.std(), np.mean(z**3), np.mean(z**4)]
    assert moments == pytest.approx([0, 1, 0, 3], abs=0.06)
    assert abs(np.corrcoef(z[1:], z[:-1])[0, 1]) < 0.01
    assert abs(np.corrcoef(z[::629][1:], z[::629][:-1])[0, 1]) < 0.15
