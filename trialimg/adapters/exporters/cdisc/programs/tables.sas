/* The main tables from the datasets beside this file: response rates, progression-free survival, best change.
   Set FOLDER to the folder of the transport files. */
%let folder = .;

%macro take(name);
  libname in xport "&folder/&name..xpt" access=readonly;
  proc copy in=in out=work; run;
  libname in clear;
%mend;
%take(adsl) %take(adrs) %take(adtr) %take(adtte)

/* Objective response: best response CR or PR, with the exact (Clopper-Pearson) limits; BORB needs no confirmation. */
data response;
  set adrs;
  where paramcd in ("BORB", "CBORB");
  responder = (avalc in ("CR", "PR"));
run;
proc sort data=response; by paramcd; run;
proc freq data=response;
  by paramcd;
  tables responder / binomial(level="1" exact);
  tables avalc * trtp / nopercent norow nocol;
run;

/* Progression-free survival in days; CNSR 0 is an event, anything above it the reason of censoring. */
data pfs;
  set adtte;
  where paramcd = "PFSB";
  censored = (cnsr > 0);
run;
proc lifetest data=pfs conftype=loglog;
  time aval * censored(1);
  strata trtp / test=logrank;
run;

/* Best change of the sum of diameters, up to and including the first progression. */
proc sort data=adtr out=best; where paramcd = "SDIAMB" and anl02fl = "Y"; by descending pchg; run;
proc print data=best noobs; var usubjid trtp avisit base aval pchg; run;
