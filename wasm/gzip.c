/*
 * What JavaScript calls of libdeflate. An instance has one compressor and its buffers for as long as it lives, so memory is given
 * out and never taken back.
 */
#include <stddef.h>
#include <stdint.h>
#include "libdeflate.h"

#define EXPORT(name) __attribute__((export_name(#name))) name
#define PAGE_SIZE 65536
#define ALIGNMENT 64

extern unsigned char __heap_base;

static void *allocate(size_t size)
{
	static uintptr_t end;
	uintptr_t free = end ? end : (uintptr_t)&__heap_base;
	uintptr_t start = (free + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
	size_t pages = __builtin_wasm_memory_size(0);
	size_t wanted = (start + size + PAGE_SIZE - 1) / PAGE_SIZE;

	if (wanted > pages && __builtin_wasm_memory_grow(0, wanted - pages) == (size_t)-1)
		return NULL;
	end = start + size;
	return (void *)start;
}

static void keep(void *memory)
{
	(void)memory;
}

/* NULL: no such level, or no memory. */
void *EXPORT(open_compressor)(int level)
{
	libdeflate_set_memory_allocator(allocate, keep);
	return libdeflate_alloc_compressor(level);
}

/* NULL: no memory. */
void *EXPORT(open_buffer)(size_t size)
{
	return allocate(size);
}

/* One gzip member. 0: it does not fit. */
size_t EXPORT(compress)(void *compressor, const void *in, size_t in_size, void *out, size_t out_size)
{
	return libdeflate_gzip_compress(compressor, in, in_size, out, out_size);
}
