# As peers_python.py, for R's packages: Rscript peers.R PEER K REPEATS BUDGET FILE ...
arguments <- commandArgs(trailingOnly = TRUE)
peer <- arguments[1]
k <- as.integer(arguments[2])
repeats <- as.integer(arguments[3])
budget <- as.numeric(arguments[4])
warm <- 0.1
if (!requireNamespace(peer, quietly = TRUE)) {
  message("the package is not installed")
  quit(status = 3)
}
suppressPackageStartupMessages(library(peer, character.only = TRUE))
cat(sprintf('{"version": "%s"}\n', packageVersion(peer)))

fit <- list(
  mclust = function(x) {
    p <- Mclust(x, G = k, modelNames = "V", verbose = FALSE)$parameters
    list(weights = p$pro, means = p$mean, variances = p$variance$sigmasq)
  },
  mixtools = function(x) {
    p <- normalmixEM(x, k = k)
    list(weights = p$lambda, means = p$mu, variances = p$sigma^2)
  }
)[[peer]]

array <- function(values) paste0("[", paste(sprintf("%.17g", values), collapse = ","), "]")

for (file in arguments[-(1:4)]) {
  x <- readBin(file, "double", file.size(file) / 8)
  times <- c()
  while (length(times) == 0 || sum(times) < (if (length(times) < repeats) budget else warm)) {
    set.seed(1)
    begin <- as.numeric(Sys.time())
    capture.output(p <- fit(x))
    times <- c(times, as.numeric(Sys.time()) - begin)
  }
  cat(sprintf('{"weights": %s, "means": %s, "variances": %s, "seconds": %.9g}\n',
              array(p$weights), array(p$means), array(p$variances), median(times)))
}
