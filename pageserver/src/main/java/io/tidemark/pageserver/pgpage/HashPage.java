package io.tidemark.pageserver.pgpage;

import java.util.Arrays;

/**
 * A page of a hash index (hash.h): HashPageOpaqueData in the special area, and what the meta page and the bitmap pages have in
 * place of tuples.
 *
 * <pre>
 *   8176 hasho_prevblkno(u32) | 8180 hasho_nextblkno(u32) | 8184 hasho_bucket(u32) | 8188 hasho_flag(u16) | 8190 hasho_page_id(u16)
 *
 *   meta page   24 hashm_magic(u32) | 28 hashm_version(u32) | 32 hashm_ntuples(f64) | 40 hashm_ffactor(u16) | 42 hashm_bsize(u16)
 *               44 hashm_bmsize(u16) | 46 hashm_bmshift(u16) | 48 hashm_maxbucket(u32) | 52 hashm_highmask(u32)
 *               56 hashm_lowmask(u32) | 60 hashm_ovflpoint(u32) | 64 hashm_firstfree(u32) | 68 hashm_nmaps(u32)
 *               72 hashm_procid(u32) | 76 hashm_spares(u32)(98) | 468 hashm_mapp(u32)(1024)           pd_lower = 4568
 *   bitmap      24 words(u32)(bmsize / 4): bit b is bit b mod 32 of word b / 32           pd_lower = 24 + bmsize
 * </pre>
 */
public final class HashPage {
    /** sizeof(HashPageOpaqueData). */
    public static final int SPECIAL_SIZE_BYTES = 16;

    public static final int SPECIAL = Page.SIZE_BYTES - SPECIAL_SIZE_BYTES;

    public static final int HASHO_PREVBLKNO = SPECIAL;
    public static final int HASHO_NEXTBLKNO = SPECIAL + 4;
    public static final int HASHO_BUCKET = SPECIAL + 8;
    public static final int HASHO_FLAG = SPECIAL + 12;
    public static final int HASHO_PAGE_ID = SPECIAL + 14;
    public static final int PAGE_ID = 0xFF80;

    public static final int LH_UNUSED_PAGE = 0;
    public static final int LH_OVERFLOW_PAGE = 0x01;
    public static final int LH_BUCKET_PAGE = 0x02;
    public static final int LH_BITMAP_PAGE = 0x04;
    public static final int LH_META_PAGE = 0x08;
    public static final int LH_BUCKET_BEING_POPULATED = 0x10;
    public static final int LH_BUCKET_BEING_SPLIT = 0x20;
    public static final int LH_BUCKET_NEEDS_SPLIT_CLEANUP = 0x40;
    public static final int LH_PAGE_HAS_DEAD_TUPLES = 0x80;

    /** InvalidBlockNumber, and InvalidBucket. */
    public static final int INVALID = 0xFFFFFFFF;

    public static final int HASHM_MAGIC = 24;
    public static final int HASHM_VERSION = 28;
    public static final int HASHM_NTUPLES = 32;
    public static final int HASHM_FFACTOR = 40;
    public static final int HASHM_BSIZE = 42;
    public static final int HASHM_BMSIZE = 44;
    public static final int HASHM_BMSHIFT = 46;
    public static final int HASHM_MAXBUCKET = 48;
    public static final int HASHM_HIGHMASK = 52;
    public static final int HASHM_LOWMASK = 56;
    public static final int HASHM_OVFLPOINT = 60;
    public static final int HASHM_FIRSTFREE = 64;
    public static final int HASHM_NMAPS = 68;
    public static final int HASHM_PROCID = 72;
    public static final int HASHM_SPARES = 76;
    public static final int HASHM_MAPP = 468;
    public static final int META_END = 4568;

    public static final int HASH_MAGIC = 0x6440640;
    public static final int HASH_VERSION = 4;
    public static final int HASH_MAX_SPLITPOINTS = 98;
    public static final int HASH_MAX_BITMAPS = 1024;

    /** HashGetMaxBitmapSize: what a page has besides its header and special area. */
    private static final int MAX_BITMAP_SIZE_BYTES = SPECIAL - 24;

    /** The largest power of two that fits into it. */
    private static final int BITMAP_SIZE_BYTES = 4096;

    private static final int BITMAP_SHIFT = 15;

    private static final int BITMAP = 24;

    private HashPage() {}

    /** _hash_pageinit and the special area. */
    public static void init(Page page, int prev, int next, int bucket, int flag) {
        page.init(SPECIAL_SIZE_BYTES);
        page.putI32(HASHO_PREVBLKNO, prev);
        page.putI32(HASHO_NEXTBLKNO, next);
        page.putI32(HASHO_BUCKET, bucket);
        page.putU16(HASHO_FLAG, flag);
        page.putU16(HASHO_PAGE_ID, PAGE_ID);
    }

    /** Throws unless the page says that it is one of a hash index. */
    public static void require(Page page) {
        if (page.special() != SPECIAL || page.u16(HASHO_PAGE_ID) != PAGE_ID) {
            throw new PageException("not a hash page: its special area is at " + page.special());
        }
    }

    public static void clearFlag(Page page, int flag) {
        page.putU16(HASHO_FLAG, page.u16(HASHO_FLAG) & ~flag);
    }

    /** _hash_initbitmapbuffer: all bits set, no page free. */
    public static void initBitmap(Page page, int bitmapSizeBytes) {
        if (bitmapSizeBytes > MAX_BITMAP_SIZE_BYTES) {
            throw new PageException("a bitmap of " + bitmapSizeBytes + " bytes does not fit into a page");
        }
        init(page, INVALID, INVALID, INVALID, LH_BITMAP_PAGE);
        Arrays.fill(page.bytes(), BITMAP, BITMAP + bitmapSizeBytes, (byte) 0xFF);
        page.setLower(BITMAP + bitmapSizeBytes);
    }

    public static void setBit(Page page, int bit) {
        int word = wordOf(page, bit);
        page.putI32(word, page.i32(word) | 1 << bit);
    }

    public static void clearBit(Page page, int bit) {
        int word = wordOf(page, bit);
        page.putI32(word, page.i32(word) & ~(1 << bit));
    }

    private static int wordOf(Page page, int bit) {
        int word = BITMAP + (bit >>> 5) * 4;
        if (word + 4 > page.lower()) {
            throw new PageException("no bit " + Integer.toUnsignedString(bit) + " in a bitmap up to " + page.lower());
        }
        return word;
    }

    /** _hash_init_metabuffer: an empty index with as many buckets as the expected number of rows asks for. */
    public static void initMeta(Page page, double expectedTuples, int fillFactor, int procid) {
        int buckets = initialBuckets(expectedTuples / fillFactor);
        int splitpoint = splitpointOf(buckets);
        // Smallest power of two that is at least buckets + 1, minus 1.
        int highMask = (Integer.highestOneBit(buckets) << 1) - 1;
        init(page, INVALID, INVALID, INVALID, LH_META_PAGE);
        page.putI32(HASHM_MAGIC, HASH_MAGIC);
        page.putI32(HASHM_VERSION, HASH_VERSION);
        page.putU16(HASHM_FFACTOR, fillFactor);
        page.putU16(HASHM_BSIZE, MAX_BITMAP_SIZE_BYTES);
        page.putU16(HASHM_BMSIZE, BITMAP_SIZE_BYTES);
        page.putU16(HASHM_BMSHIFT, BITMAP_SHIFT);
        page.putI32(HASHM_MAXBUCKET, buckets - 1);
        page.putI32(HASHM_HIGHMASK, highMask);
        page.putI32(HASHM_LOWMASK, highMask >>> 1);
        page.putI32(HASHM_OVFLPOINT, splitpoint);
        page.putI32(HASHM_PROCID, procid);
        page.putI32(HASHM_SPARES + 4 * splitpoint, 1);
        page.setLower(META_END);
    }

    private static int initialBuckets(double wanted) {
        if (wanted <= 2.0) {
            return 2;
        }
        if (wanted >= 0x40000000) {
            return 0x40000000;
        }
        return bucketsUpTo(splitpointOf((int) wanted));
    }

    /** _hash_spareindex: the phase of growth in which this many buckets are reached; from group 10 on, four phases a group. */
    static int splitpointOf(int buckets) {
        int group = buckets <= 1 ? 0 : 32 - Integer.numberOfLeadingZeros(buckets - 1);
        if (group < 10) {
            return group;
        }
        return 10 + (group - 10) * 4 + (buckets - 1 >>> group - 3 & 3);
    }

    /** _hash_get_totalbuckets: the buckets at the end of a phase. */
    static int bucketsUpTo(int splitpoint) {
        if (splitpoint < 10) {
            return 1 << splitpoint;
        }
        int before = 1 << 10 + (splitpoint - 10 >> 2) - 1;
        return before + (before >> 2) * ((splitpoint - 10 & 3) + 1);
    }

    /** Where the meta page's count of overflow pages of a splitpoint is. */
    public static int spareAt(int splitpoint) {
        if (splitpoint < 0 || splitpoint >= HASH_MAX_SPLITPOINTS) {
            throw new PageException("no splitpoint " + Integer.toUnsignedString(splitpoint));
        }
        return HASHM_SPARES + 4 * splitpoint;
    }

    /** Adds a bitmap page to the meta page's list. */
    public static void addBitmap(Page page, int block) {
        int count = page.i32(HASHM_NMAPS);
        if (count < 0 || count >= HASH_MAX_BITMAPS) {
            throw new PageException("no room for bitmap page " + Integer.toUnsignedString(count));
        }
        page.putI32(HASHM_MAPP + 4 * count, block);
        page.putI32(HASHM_NMAPS, count + 1);
    }

    public static double tuples(Page page) {
        return Double.longBitsToDouble(page.i64(HASHM_NTUPLES));
    }

    public static void setTuples(Page page, double tuples) {
        page.putI64(HASHM_NTUPLES, Double.doubleToRawLongBits(tuples));
    }
}
