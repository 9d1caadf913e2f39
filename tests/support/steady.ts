/** A report without the time that it took, at its end: the one thing that differs from run to run. */
export const steady = (report: string): string => report.replace(/ {2}(\d+ m )?\d+(\.\d)? s\n/g, '\n')
