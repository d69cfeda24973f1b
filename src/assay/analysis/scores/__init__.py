"""How well scores predicted what training gave."""
