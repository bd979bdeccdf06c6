# Seconds of one of the three models from the call to the answer, those of sampling, and the smallest bulk ESS of any
# parameter: Rscript tools/study/time_brms.R random_intercept
name <- commandArgs(trailingOnly = TRUE)[1]
source("r/setup.R")
code <- parse(file.path("r", paste0(c(pooled = "05_", random_intercept = "06_", random_slope = "07_")[name], name, ".R")))
calls <- Filter(\(one) is.call(one) && identical(one[[1]], quote(`<-`)), as.list(code))
eval(Filter(\(one) identical(one[[2]], quote(ours)), calls)[[1]])
call <- Filter(\(one) identical(one[[2]], as.name(name)), calls)[[1]][[3]]
call$file <- NULL
call$iter <- 2000
seconds <- system.time(fit <- eval(call))[["elapsed"]]
times <- rstan::get_elapsed_time(fit$fit) # a row a chain, and as many chains at a time as there are cores
ess <- posterior::summarise_draws(as_draws_array(fit), "ess_bulk")
ess <- min(ess$ess_bulk[!ess$variable %in% c("lp__", "lprior")])
cat(seconds, sum(times) / getOption("mc.cores"), ess, "\n")
