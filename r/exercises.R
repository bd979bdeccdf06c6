source("r/setup.R")

# One county alone ----
# Exercise R1.1: the slope of Essex by itself, in s per decade.
essex <- lm(bounce_time ~ std_age, data = filter(visits, county == "Essex"))
coef(essex)[["std_age"]] * decade

# A prior by hand ----
# Exercise R1.2: the share of visits below 0 s, at the mean age, if the
# intercept had a normal(200, 150) prior and all other priors were the book's.
# An sd is the absolute value of a normal number.
set.seed(2020)
n <- 1e6
times <- rnorm(n, 200, 150) + abs(rnorm(n, 0, 20)) * rnorm(n) +
  abs(rnorm(n, 0, 20)) * rnorm(n)
100 * mean(times < 0) # %

# Which county is higher ----
# Exercise R2.1: the probability that visitors of one age stay longer in
# Cheshire than in Cornwall.
draws <- as_draws_df(read_fit("random_intercept"))
mean(draws[["r_county[Cheshire,Intercept]"]] > draws[["r_county[Cornwall,Intercept]"]])

# Without a correlation ----
# Exercise R2.2: the sd of slopes by REML if levels and slopes are independent,
# in s per sd of age.
independent <- lme4::lmer(bounce_time ~ std_age + (std_age || county), data = visits)
print(lme4::VarCorr(independent), digits = 3)

# The sleep study ----
# Exercise R2.3: the sd of people's slopes by REML, in ms per day.
sleep <- read_csv("data/tables/sleepstudy.csv", show_col_types = FALSE)
by_reml <- lme4::lmer(reaction ~ days + (days | subject), data = sleep)
summary(by_reml)$coefficients
print(lme4::VarCorr(by_reml), digits = 3)

# The slope of Rutland ----
# Exercise R3.1: the probability that older visitors stay less long in Rutland,
# of which there are seven visits.
draws <- as_draws_df(read_fit("random_slope"))
mean(draws$b_std_age + draws[["r_county[Rutland,std_age]"]] < 0)

# Ten years of a manager ----
# Exercise R3.2: the probability that ten years more cost a second or more, in
# the population of counties.
mean(draws$b_std_age * decade < -1)
