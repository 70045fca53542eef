# The R half of setup.sh: which packages are missing, and how to get them from a CRAN mirror. Base R only.
#   Rscript tools/setup.R missing [NAME ...]    prints "needed NAME" or "optional NAME" a line
#   Rscript tools/setup.R install NAME ...      installs from the user's mirror
#   Rscript tools/setup.R mirrors               prints its address

declared <- function(fields) {
  entries <- read.dcf("DESCRIPTION", fields = fields)
  entries <- trimws(unlist(strsplit(entries[!is.na(entries)], ",")))
  name <- sub("[[:space:](].*", "", entries)
  version <- ifelse(grepl(">=", entries), gsub(".*>=[[:space:]]*|[[:space:]]*\\).*", "", entries), "0")
  data.frame(name, version)[name != "R" & nzchar(name), ]
}

present <- function(name, version) {
  nzchar(system.file(package = name)) && utils::packageVersion(name) >= version
}

missing_packages <- function(extra) {
  needed <- declared(c("Depends", "Imports", "LinkingTo"))
  optional <- declared("Suggests")
  optional$kind <- ifelse(optional$name %in% extra, "needed", "optional")
  asked <- setdiff(extra, c(needed$name, optional$name))
  all <- rbind(
    if (nrow(needed)) cbind(needed, kind = "needed"),
    optional,
    if (length(asked)) data.frame(name = asked, version = "0", kind = "needed")
  )
  all <- all[!duplicated(all$name), ]
  all[!mapply(present, all$name, all$version), ]
}

mirrors <- function() {
  repos <- getOption("repos")
  if (!length(repos)) repos <- c(CRAN = "@CRAN@")
  replace(repos, repos == "@CRAN@", "https://cloud.r-project.org")
}

install <- function(names) {
  repos <- mirrors()
  writable <- .libPaths()[file.access(.libPaths(), 2L) == 0L]
  lib <- if (length(writable)) writable[1L] else strsplit(Sys.getenv("R_LIBS_USER"), .Platform$path.sep)[[1L]][1L]
  dir.create(lib, recursive = TRUE, showWarnings = FALSE)
  .libPaths(c(lib, .libPaths()))

  cat("Installing from", paste(unique(repos), collapse = ", "), "into", lib, "\n")
  options(timeout = max(300, getOption("timeout")))
  # Package fs, behind testthat and rmarkdown, brings the system library that it needs, if asked.
  if (!nzchar(Sys.getenv("USE_BUNDLED_LIBUV"))) Sys.setenv(USE_BUNDLED_LIBUV = "1")
  available <- rownames(utils::available.packages(repos = repos))
  known <- intersect(names, available)
  if (length(known)) utils::install.packages(known, lib, repos = repos, Ncpus = 2L, quiet = TRUE)
  if (!length(available)) quit(status = 1L)
}

required <- sub(".*R \\(>= ([0-9.]+)\\).*", "\\1", read.dcf("DESCRIPTION", fields = "Depends"))
if (getRversion() < required) stop("R ", required, " or later is needed; this is R ", getRversion(), call. = FALSE)

args <- commandArgs(trailingOnly = TRUE)
switch(args[1L],
  missing = with(missing_packages(args[-1L]), writeLines(paste(kind, name)[seq_along(name)])),
  install = install(args[-1L]),
  mirrors = cat(unique(mirrors())),
  stop("unknown command: ", args[1L])
)
