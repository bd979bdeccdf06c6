# Run a script of r/ section by section, and write what it prints and draws:
# Rscript tools/study/evaluate.R r/06_random_intercept.R folder
given <- commandArgs(trailingOnly = TRUE)
lines <- readLines(given[1], encoding = "UTF-8")
folder <- file.path(given[2], tools::file_path_sans_ext(basename(given[1])))
dir.create(folder, recursive = TRUE, showWarnings = FALSE)

heads <- grep("^# .+ ----$", lines)
ends <- c(heads[-1] - 1, length(lines))
titles <- sub("^# (.+) ----$", "\\1", lines[heads])
slugs <- gsub("[^a-z0-9]+", "-", tolower(titles))
slugs <- gsub("^-|-$", "", slugs)

world <- globalenv()
size <- list(width = 1400, height = 840, res = 200)
options(device = \(...) do.call(png, c(tempfile(), size)))
run <- function(code) evaluate::evaluate(code, envir = world, stop_on_error = 2L)

invisible(run(head(lines, heads[1] - 1)))
for (k in seq_along(heads)) {
  found <- run(lines[heads[k]:ends[k]])
  is_words <- vapply(found, \(one) is.character(one) || inherits(one, c("message", "warning")), logical(1))
  say <- \(one) if (is.character(one)) one else sub("\n*$", "\n", conditionMessage(one))
  cat(paste(vapply(found[is_words], say, ""), collapse = ""), file = file.path(folder, paste0(slugs[k], ".txt")))
  plots <- Filter(\(one) inherits(one, "recordedplot"), found)
  for (number in seq_along(plots)) {
    do.call(png, c(file.path(folder, sprintf("%s-%d.png", slugs[k], number)), size))
    replayPlot(plots[[number]])
    dev.off()
  }
  message("  ", titles[k])
}
