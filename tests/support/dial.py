"""Three priors to choose from with the dial of a flip-book."""

from helpers.priors import Priors

DIAL = {
    "wide": Priors((150, 300), (0, 40), sigma=80, group_sd=80, slope_sd=20),
    "ours": Priors(),
    "too tight": Priors((200, 2.5), (0, 1), sigma=2, group_sd=2, slope_sd=0.5),
}
