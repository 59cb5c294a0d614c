/*
 * Memory for libxml2 and libxslt, which ask for some twenty thousand small blocks per message and give them all back.
 *
 * One region of address space, cut into slabs of blocks of one size. Free blocks stand in lists, one per size and thread.
 * The region never grows and is never given back, so a process holds at most this much more than it needs; what does
 * not fit, or is large, comes from malloc.
 *
 * Why it is sound. Whose a block is, its address says: a block of malloc, also one from before the pool was installed, goes back to
 * malloc. A block is in one list or in use, never both, as long as the caller frees once. Lists are of one thread, and a block
 * may be freed in another one than it came from: it then joins the lists of that thread. The lists of a thread that ends
 * are lost, at most the region.
 */
/* MAP_ANONYMOUS. */
#define _DEFAULT_SOURCE 1
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <libxml/xmlmemory.h>

#define REGION ((size_t)16 << 20)
#define SLAB ((size_t)16 << 10)
#define SLABS (REGION / SLAB)
/* Alignment of every block, as malloc gives it, and the step from one size to the next. */
#define GRAIN ((size_t)16)
#define LARGEST ((size_t)1024)
#define SIZES (LARGEST / GRAIN + 1)

struct block {
    struct block *next;
};

static unsigned char *region;
static atomic_size_t slabs_taken;
/* Size of the blocks of a slab in grains. Written before the first of its blocks is handed out. */
static unsigned char grains_of[SLABS];
static _Thread_local struct block *free_blocks[SIZES];

static int is_ours(const void *pointer) {
    return (uintptr_t)pointer - (uintptr_t)region < REGION;
}

static size_t grains_at(const void *pointer) {
    return grains_of[((uintptr_t)pointer - (uintptr_t)region) / SLAB];
}

/* Cuts a new slab into blocks for this thread; 0 when the region is used up. */
static int cut_slab(size_t grains) {
    size_t slab, size = grains * GRAIN, at;
    unsigned char *start;
    if (atomic_load(&slabs_taken) >= SLABS || (slab = atomic_fetch_add(&slabs_taken, 1)) >= SLABS)
        return 0;
    grains_of[slab] = (unsigned char)grains;
    start = region + slab * SLAB;
    for (at = SLAB / size * size; at > 0; at -= size) {
        struct block *block = (struct block *)(start + at - size);
        block->next = free_blocks[grains];
        free_blocks[grains] = block;
    }
    return 1;
}

static void *pool_malloc(size_t size) {
    size_t grains = size <= GRAIN ? 1 : (size + GRAIN - 1) / GRAIN;
    struct block *block;
    if (size > LARGEST)
        return malloc(size);
    block = free_blocks[grains];
    if (block == NULL) {
        if (!cut_slab(grains))
            return malloc(size);
        block = free_blocks[grains];
    }
    free_blocks[grains] = block->next;
    return block;
}

static void pool_free(void *pointer) {
    if (is_ours(pointer)) {
        struct block *block = pointer;
        size_t grains = grains_at(pointer);
        block->next = free_blocks[grains];
        free_blocks[grains] = block;
    } else {
        free(pointer);
    }
}

static void *pool_realloc(void *pointer, size_t size) {
    size_t old;
    void *moved;
    if (pointer == NULL)
        return pool_malloc(size);
    if (!is_ours(pointer))
        return realloc(pointer, size);
    old = grains_at(pointer) * GRAIN;
    if (size <= old)
        return pointer;
    moved = pool_malloc(size);
    if (moved != NULL) {
        memcpy(moved, pointer, old);
        pool_free(pointer);
    }
    return moved;
}

static char *pool_strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = pool_malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

/* Once per process, before libxml2 is used. Without address space for the region everything stays with malloc. */
void dds_xslt_pool_memory(void) {
    void *space = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED)
        return;
    region = space;
    xmlMemSetup(pool_free, pool_malloc, pool_realloc, pool_strdup);
}
