# As peers_python.py, for R's packages: Rscript peers.R PEER[-WAY] K REPEATS BUDGET FILE ..., K a number or a range, 1:9.
# mclust-fallback takes equal variances where unequal ones have no answer, mclust-choice whichever its BIC prefers.
arguments <- commandArgs(trailingOnly = TRUE)
way <- arguments[1]
peer <- sub("-.*", "", way)
ends <- as.integer(strsplit(arguments[2], ":")[[1]])
k <- ends[1]:ends[length(ends)]
repeats <- as.integer(arguments[3])
budget <- as.numeric(arguments[4])
warm <- 0.1
if (!requireNamespace(peer, quietly = TRUE)) {
  message("the package is not installed")
  quit(status = 3)
}
suppressPackageStartupMessages(library(peer, character.only = TRUE))
cat(sprintf('{"version": "%s"}\n', packageVersion(peer)))

mclust <- function(x, models) {
  found <- Mclust(x, G = k, modelNames = models, verbose = FALSE)
  if (is.null(found)) return(NULL)
  p <- found$parameters
  list(weights = if (is.null(p$pro)) 1 else p$pro, means = p$mean,
       variances = rep_len(p$variance$sigmasq, length(p$mean)), model = found$modelName)
}
fit <- list(
  mclust = function(x) mclust(x, "V"),
  "mclust-fallback" = function(x) {
    found <- mclust(x, "V")
    if (is.null(found)) mclust(x, "E") else found
  },
  "mclust-choice" = function(x) mclust(x, c("E", "V")),
  mixtools = function(x) {
    p <- normalmixEM(x, k = k)
    list(weights = p$lambda, means = p$mu, variances = p$sigma^2)
  }
)[[way]]

array <- function(values) paste0("[", paste(sprintf("%.17g", values), collapse = ","), "]")

for (file in arguments[-(1:4)]) {
  x <- readBin(file, "double", file.size(file) / 8)
  times <- c()
  while (length(times) == 0 || sum(times) < (if (length(times) < repeats) budget else min(warm, budget))) {
    set.seed(1)
    begin <- as.numeric(Sys.time())
    capture.output(p <- fit(x))
    times <- c(times, as.numeric(Sys.time()) - begin)
  }
  cat(sprintf('{"weights": %s, "means": %s, "variances": %s, "seconds": %.9g, "model": "%s"}\n',
              array(p$weights), array(p$means), array(p$variances), median(times),
              if (is.null(p$model)) "" else p$model))
}
