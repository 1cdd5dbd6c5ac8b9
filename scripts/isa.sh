#!/bin/sh
# The kernel tables (values of FIREFLY_ISA) that this processor can run, one a line.
echo generic
flags=$(grep -m 1 '^flags' /proc/cpuinfo || true)
case " $flags " in *' avx2 '*) echo avx2 ;; esac
case " $flags " in *' avx512f '*) echo avx512 ;; esac
