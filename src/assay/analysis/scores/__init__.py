"""How well scores predicted training results."""
