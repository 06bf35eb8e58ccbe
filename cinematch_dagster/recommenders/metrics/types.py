"""The arrays of the ranking metrics.

`Lists` (n_users, k) holds rows of movies, best first; -1 pads a list that is shorter. `Hits`
(n_users, k) says which places of the lists hold a relevant movie, and `Counts` (n_users,) how many
relevant movies a user has in all, at least one: where there is nothing to find, no list is better
than another. What is in no user's list is as much a miss as what the catalogue lacks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Lists = npt.NDArray[np.integer]
Hits = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.integer]
PerUser = npt.NDArray[np.float64]
