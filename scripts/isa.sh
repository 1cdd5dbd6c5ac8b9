#!/bin/sh
# The values of FIREFLY_ISA that this processor can run, one a line; what each needs is in Sources/C/Kernels/dispatch.c and
# Sources/C/Tiles/dispatch.c.
flags=" $(sed -n 's/^flags[^:]*: //p' /proc/cpuinfo | head -n 1) "

has() {
  for flag; do
    case $flags in *" $flag "*) ;; *) return 1 ;; esac
  done
}

echo generic
if has avx2 fma f16c; then
  echo avx2
  if has avx512f avx512bw avx512vl avx512dq avx512_bf16 avx512_vnni avx512vbmi; then
    echo avx512
    if has amx_tile amx_bf16; then echo amx; fi
  elif has avx512f avx512bw avx512vl avx512dq; then
    echo avx512f
  fi
fi
