"""Reports: pure projections of a verdict. A verdict goes in, text comes out; nothing is read, printed or decided."""
