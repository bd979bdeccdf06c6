source("r/setup.R")
require_compiler()

# The wine ----
# Nine judges gave each of eight bottles a mark for bitterness, 0 to 100.
# Temperature and contact are facts of a bottle. Each judge has each bottle
# once: the two factors are crossed.
wine <- read_columns(
  "data/tables/wine.csv",
  c("bitterness", "temperature", "contact", "bottle", "judge")
) |>
  mutate(across(c(temperature, contact, bottle, judge), factor))
xtabs(~ judge + bottle, data = wine)
xtabs(~ temperature + contact, data = distinct(wine, bottle, temperature, contact))

# In lme4 ----
# A term for each factor. The restricted likelihood is highest where the sd of
# bottles is 0: "singular", and the standard errors are those of a model in
# which all bottles of a kind are alike.
by_reml <- lme4::lmer(
  bitterness ~ temperature + contact + (1 | judge) + (1 | bottle),
  data = wine
)
summary(by_reml)$coefficients
print(lme4::VarCorr(by_reml), digits = 4)

# The model ----
# The same formula. Marks of 0 to 100 say how wide priors should be; two bottles
# of one kind should differ by less than two judges. The prior of an sd is the
# upper half of its normal.
ours <- c(
  set_prior("normal(50, 25)", class = "b", coef = "Intercept"),
  set_prior("normal(0, 20)", class = "b"),
  set_prior("normal(0, 20)", class = "sigma"),
  set_prior("normal(0, 20)", class = "sd", group = "judge"),
  set_prior("normal(0, 10)", class = "sd", group = "bottle")
)
two_factors <- brm(
  bitterness ~ 0 + Intercept + temperature + contact + (1 | judge) + (1 | bottle),
  data = wine, prior = ours, iter = 3000, control = list(adapt_delta = 0.99),
  seed = 2020, refresh = 0, silent = 2, file = "r/fits/two_factors"
)
require_converged(two_factors)

# What it says ----
# The sd of bottles need not be 0: two bottles of each kind cannot tell. The
# coefficients of temperature and contact allow for that, so their intervals are
# wider than those of lme4's errors.
summary(two_factors)
width <- c(
  lme4 = 2 * 1.96 * summary(by_reml)$coefficients["temperaturewarm", "Std. Error"],
  brms = unname(diff(fixef(two_factors)["temperaturewarm", c("Q2.5", "Q97.5")]))
)
width # of the 95 % intervals of temperature, in marks

# Casks within batches ----
# Another table: the strength of a paste, measured twice in each of three casks
# of ten batches. Cask a of batch A is not cask a of batch B. `batch/cask` says
# so: batches, and casks within batches, thirty of them.
pastes <- read_columns("data/tables/pastes.csv", c("strength", "batch", "cask")) |>
  mutate(batch = factor(batch), cask = factor(cask))
nested <- lme4::lmer(strength ~ 1 + (1 | batch / cask), data = pastes)
lme4::ngrps(nested)
print(lme4::VarCorr(nested), digits = 4)

# The labels taken at their word ----
# `(1 | batch) + (1 | cask)` takes all casks a for one cask: three instead of
# thirty. It is no error to R; what casks differ by goes into the residual.
wrong <- lme4::lmer(strength ~ 1 + (1 | batch) + (1 | cask), data = pastes)
lme4::ngrps(wrong)
print(lme4::VarCorr(wrong), digits = 4)
