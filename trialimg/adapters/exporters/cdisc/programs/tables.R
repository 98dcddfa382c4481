# The main tables from the datasets beside this file: response rates, progression-free survival, best change.
# Needs R with the packages haven and survival. Run in this folder: Rscript tables.R
library(haven)
library(survival)

adsl <- read_xpt("adsl.xpt")
adrs <- read_xpt("adrs.xpt")
adtr <- read_xpt("adtr.xpt")
adtte <- read_xpt("adtte.xpt")

# Objective response: best response CR or PR, of all subjects, with the exact (Clopper-Pearson) limits.
response <- function(parameter) {
  best <- subset(adrs, PARAMCD == parameter)
  for (arm in c("all", sort(unique(adsl$TRT01P)))) {
    of <- if (arm == "all") best else subset(best, TRTP == arm)
    x <- sum(of$AVALC %in% c("CR", "PR"))
    n <- nrow(of)
    limits <- binom.test(x, n)$conf.int
    cat(sprintf("%-6s %-12s %d/%d = %.1f %% (%.1f to %.1f)\n", parameter, arm, x, n, 100 * x / n,
                100 * limits[1], 100 * limits[2]))
  }
  print(table(best$AVALC, best$TRTP))
}
response("BORB")   # confirmation not required
response("CBORB")  # confirmed

# Progression-free survival in days; CNSR 0 is an event, anything above it the reason of censoring.
pfs <- subset(adtte, PARAMCD == "PFSB")
print(survfit(Surv(AVAL, CNSR == 0) ~ 1, data = pfs, conf.type = "log-log"))
if (length(unique(pfs$TRTP)) > 1) {
  print(survfit(Surv(AVAL, CNSR == 0) ~ TRTP, data = pfs, conf.type = "log-log"))
  print(survdiff(Surv(AVAL, CNSR == 0) ~ TRTP, data = pfs))
}

# The same under the other authority's censoring: PFSEMAB where PFSB follows the FDA, PFSFDAB where it follows the EMA.
other <- subset(adtte, PARAMCD %in% c("PFSEMAB", "PFSFDAB"))
if (nrow(other) > 0) print(survfit(Surv(AVAL, CNSR == 0) ~ 1, data = other, conf.type = "log-log"))

# Best change of the sum of diameters, up to and including the first progression.
best <- subset(adtr, PARAMCD == "SDIAMB" & ANL02FL == "Y")
print(best[order(-best$PCHG), c("USUBJID", "TRTP", "AVISIT", "BASE", "AVAL", "PCHG")])
