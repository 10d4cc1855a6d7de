#!/bin/sh
# Makes src/layer/gzip.wasm, or the file that is named. Needs Debian's clang-14 and lld-14.
set -eu
cd "$(dirname "$0")"
out=${1:-../src/layer/gzip.wasm}

# Every engine that runs Node.js 24 has the instructions that are asked for.
"${CLANG:-clang-14}" --target=wasm32 -O3 -msimd128 -mbulk-memory -mnontrapping-fptoint -msign-ext \
	-nostdlib -DFREESTANDING -fvisibility=hidden -Ilibdeflate \
	-Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=131072 -o "$out" \
	gzip.c libdeflate/lib/deflate_compress.c libdeflate/lib/gzip_compress.c libdeflate/lib/crc32.c libdeflate/lib/utils.c
