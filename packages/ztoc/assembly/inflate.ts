// A DEFLATE decoder (RFC 1951) that stops where it is told and tells where its blocks end.
//
// Why it is fast: a 64-bit bit buffer refilled by one unaligned load; one 32-bit table entry per symbol that holds all that is needed to
// consume it; an 11-bit first level for literals and lengths and an 8-bit one for offsets, so that second levels are rare; up to three
// literals per refill; the next entry is loaded before a match is copied; matches are copied 16 bytes at a time, past their end where
// there is room. A fast loop does this while both buffers have margins; near their ends a careful step takes one symbol at a time and
// leaves no trace where a symbol is not whole yet, so any chunking of the input gives the same output, the same positions and the same verdict.
//
// It knows nothing of gzip: headers and trailers are read through `popByte` by the caller, who also owns the input and output areas.
// It accepts and refuses exactly what zlib's inflate (1.2.13) does; test/inflate.test.ts holds it to that.
//
// Memory below AREA is the decoder's own (tables, lengths, block ends); the rest is the caller's. The output area has the 32 KiB of history
// right before the output pointer, wherever the caller puts that pointer.

// --- memory map -----------------------------------------------------------------------------------------------------------------------
const LITLEN_BITS: u32 = 11
const OFFSET_BITS: u32 = 8
const PRECODE_BITS: u32 = 7
const LITLEN_TABLE: usize = 0x0400 // 2342 entries: what 288 symbols of at most 15 bits need behind an 11-bit first level
const OFFSET_TABLE: usize = 0x2c00 // 402 entries: 32 symbols, 15 bits, 8-bit first level
const PRECODE_TABLE: usize = 0x3400 // 128 entries
const LITLEN_RESULTS: usize = 0x3800 // one entry template per symbol
const OFFSET_RESULTS: usize = 0x3d00
const PRECODE_RESULTS: usize = 0x3d80
const PATTERNS: usize = 0x3e00 // 16 x 16: the byte shuffle that repeats a period of 0..15
const STEPS: usize = 0x3f00 // 16: the largest multiple of the period that fits in 16 bytes
const PRECODE_PLACES: usize = 0x3f10 // the order in which the precode's lengths are sent
const MASKS: usize = 0x4600 // 32: as many low bits as the index says. On x86 a variable shift costs more than a load.
const LENGTHS: usize = 0x4000 // 320 code lengths, one byte each
const SORTED: usize = 0x4200 // 288 symbols, two bytes each
const COUNTS: usize = 0x4500 // 16 counts, then 16 offsets, four bytes each
const BLOCKS: usize = 0x8000 // the table of block ends
const BLOCK_SIZE: usize = 16 // in: f64, out: u32 (an address), bits: u32
const BLOCK_LIMIT: u32 = 1024
/** Where the caller's memory begins. */
export const AREA: u32 = 0x10000
export const BLOCK_TABLE: u32 = <u32>BLOCKS

// --- table entries --------------------------------------------------------------------------------------------------------------------
// bits 0-5   how many bits the symbol takes, its extra bits among them (so a shift by the whole entry, modulo 64, is a shift by that)
// bits 8-11  how many of these are the codeword's (second-level pointer: how many bits index the second level)
// bits 16-30 literal, length base, offset base, precode symbol or index of the second level
const LITERAL: u32 = 0x80000000
const EXCEPTIONAL: u32 = 0x8000 // one of the next three
const SUBTABLE: u32 = 0x4000
const END_OF_BLOCK: u32 = 0x2000
const INVALID: u32 = 0x1000 // a codeword that stands for nothing

// --- why run() returned ---------------------------------------------------------------------------------------------------------------
export const NEED_INPUT: i32 = 1
export const OUT_FULL: i32 = 2
export const BLOCKS_FULL: i32 = 3
export const MEMBER_END: i32 = 4
export const ERROR_BLOCK_TYPE: i32 = -1
export const ERROR_STORED_LENGTHS: i32 = -2
export const ERROR_TOO_MANY_SYMBOLS: i32 = -3
export const ERROR_CODE_LENGTHS: i32 = -4
export const ERROR_REPEAT: i32 = -5
export const ERROR_NO_END_OF_BLOCK: i32 = -6
export const ERROR_LITERAL_CODE: i32 = -7
export const ERROR_OFFSET_CODE: i32 = -8
export const ERROR_LITERAL: i32 = -9
export const ERROR_OFFSET: i32 = -10
export const ERROR_TOO_FAR: i32 = -11
const GO_ON: i32 = 0

// --- state ----------------------------------------------------------------------------------------------------------------------------
const BLOCK_HEADER: i32 = 0
const STORED_HEADER: i32 = 1
const STORED: i32 = 2
const DYNAMIC_HEADER: i32 = 3
const PRECODE_LENGTHS: i32 = 4
const CODE_LENGTHS: i32 = 5
const SYMBOLS: i32 = 6
const MATCH: i32 = 7 // the rest of a match that did not fit into the output
const DONE: i32 = 8

let mode: i32 = DONE
let bitbuf: u64 = 0 // bits above `bitcount` may hold bytes at `inPtr` already: OR-ing these in again changes nothing
let bitcount: u32 = 0
let inPtr: usize = 0
let inEnd: usize = 0
let inBase: f64 = 0 // offset in the stream of address 0
let outPtr: usize = 0
let outEnd: usize = 0
let historyStart: usize = 0 // no match reaches below it
let lastBlock: u32 = 0
let left: usize = 0 // bytes of a stored block or a match still to come
let distance: usize = 0
let litlenCount: u32 = 0
let offsetCount: u32 = 0
let precodeCount: u32 = 0
let lengthIndex: u32 = 0
let fixedTables: bool = false
let blockCount: u32 = 0

/** Fills the constant tables. Called once for each memory. */
export function init(): void {
  for (let i: u32 = 0; i < 32; i++) store<u32>(MASKS + (i << 2), (1 << i) - 1)
  for (let i: u32 = 0; i < 256; i++) store<u32>(LITLEN_RESULTS + (i << 2), LITERAL | (i << 16))
  store<u32>(LITLEN_RESULTS + (256 << 2), EXCEPTIONAL | END_OF_BLOCK)
  // RFC 1951, 3.2.5: lengths 3..257 in groups of four codes, each group with one extra bit more; 285 is 258 without extra bits
  let base: u32 = 3
  for (let i: u32 = 0; i < 28; i++) {
    const extra: u32 = i < 8 ? 0 : (i >> 2) - 1
    store<u32>(LITLEN_RESULTS + ((257 + i) << 2), (base << 16) | extra)
    base += 1 << extra
  }
  store<u32>(LITLEN_RESULTS + (285 << 2), 258 << 16)
  store<u32>(LITLEN_RESULTS + (286 << 2), EXCEPTIONAL | INVALID)
  store<u32>(LITLEN_RESULTS + (287 << 2), EXCEPTIONAL | INVALID)
  base = 1
  for (let i: u32 = 0; i < 30; i++) {
    const extra: u32 = i < 4 ? 0 : (i >> 1) - 1
    store<u32>(OFFSET_RESULTS + (i << 2), (base << 16) | extra)
    base += 1 << extra
  }
  store<u32>(OFFSET_RESULTS + (30 << 2), EXCEPTIONAL | INVALID)
  store<u32>(OFFSET_RESULTS + (31 << 2), EXCEPTIONAL | INVALID)
  for (let i: u32 = 0; i < 19; i++) store<u32>(PRECODE_RESULTS + (i << 2), i << 16)
  // RFC 1951, 3.2.7: 16 17 18 0 8 7 9 6, 10 5 11 4 12 3 13 2, 14 1 15
  store<u64>(PRECODE_PLACES, 0x0609070800121110)
  store<u64>(PRECODE_PLACES, 0x020d030c040b050a, 8)
  store<u64>(PRECODE_PLACES, 0x0f010e, 16)
  for (let period: u32 = 1; period < 16; period++) {
    for (let i: u32 = 0; i < 16; i++) store<u8>(PATTERNS + period * 16 + i, <u8>(i % period))
    store<u8>(STEPS + period, <u8>(16 - (16 % period)))
  }
}

/** Starts at a block header: `count` (0..7) bits of the byte before the next input byte belong to it, given in the low bits of `bits`. */
export function start(bits: u32, count: u32): void {
  mode = BLOCK_HEADER
  bitbuf = bits
  bitcount = count
  fixedTables = false
}

/** The next member's first block header follows the bytes that `popByte` gave last. */
export function startMember(): void {
  mode = BLOCK_HEADER
}

/** The next input: addresses [ptr, end), where `ptr` is at `offset` of the stream. All former input must have been taken. */
export function setInput(ptr: u32, end: u32, offset: f64): void {
  inPtr = ptr
  inEnd = end
  inBase = offset - <f64>ptr
}

/** Where output goes: [ptr, end). Matches reach back to `history` at most. */
export function setOutput(ptr: u32, end: u32, history: u32): void {
  outPtr = ptr
  outEnd = end
  historyStart = history
}

export function getOut(): u32 {
  return <u32>outPtr
}

/** Stream offset of the next whole unread byte. */
export function getIn(): f64 {
  return inBase + <f64>inPtr - <f64>(bitcount >> 3)
}

export function getBlockCount(): u32 {
  return blockCount
}

export function clearBlocks(): void {
  blockCount = 0
}

/** Between members: the next byte of the input, or -1 when there is none yet. */
export function popByte(): i32 {
  if (bitcount >= 8) {
    const byte = <i32>(bitbuf & 0xff)
    bitbuf >>= 8
    bitcount -= 8
    return byte
  }
  if (inPtr == inEnd) return -1
  bitbuf = 0
  return load<u8>(inPtr++)
}

/** Decodes until something stops it, and says what. */
export function run(): i32 {
  while (true) {
    let result: i32 = GO_ON
    if (mode == SYMBOLS) result = symbols()
    else if (mode == CODE_LENGTHS) result = codeLengths()
    else if (mode == BLOCK_HEADER) result = blockHeader()
    else if (mode == PRECODE_LENGTHS) result = precodeLengths()
    else if (mode == DYNAMIC_HEADER) result = dynamicHeader()
    else if (mode == STORED_HEADER) result = storedHeader()
    else if (mode == STORED) result = stored()
    else if (mode == MATCH) result = match()
    else return MEMBER_END
    if (result != GO_ON) return result
  }
}

function refill(): void {
  if (inEnd - inPtr >= 8) {
    bitbuf |= load<u64>(inPtr) << bitcount
    inPtr += (63 - bitcount) >> 3
    bitcount |= 56
  } else {
    while (bitcount <= 55 && inPtr < inEnd) {
      bitbuf |= (<u64>load<u8>(inPtr++)) << bitcount
      bitcount += 8
    }
  }
}

@inline function has(bits: u32): bool {
  if (bitcount < bits) refill()
  return bitcount >= bits
}

@inline function take(bits: u32): u32 {
  const value = <u32>bitbuf & ((1 << bits) - 1)
  bitbuf >>= bits
  bitcount -= bits
  return value
}

function blockHeader(): i32 {
  if (blockCount == BLOCK_LIMIT) return BLOCKS_FULL
  if (!has(3)) return NEED_INPUT
  lastBlock = take(1)
  const type = take(2)
  if (type == 0) mode = STORED_HEADER
  else if (type == 1) {
    if (!fixedTables) {
      fixedCodes()
      fixedTables = true
    }
    mode = SYMBOLS
  } else if (type == 2) mode = DYNAMIC_HEADER
  else return ERROR_BLOCK_TYPE
  return GO_ON
}

/** A block has ended: notes where, unless it was its member's last (the end of a member is no place to start from). */
function endBlock(): void {
  if (lastBlock) {
    const odd = bitcount & 7
    bitbuf >>= odd
    bitcount -= odd
    mode = DONE
    return
  }
  const entry = BLOCKS + <usize>blockCount * BLOCK_SIZE
  store<f64>(entry, getIn())
  store<u32>(entry, <u32>outPtr, 8)
  store<u32>(entry, bitcount & 7, 12)
  blockCount++
  mode = BLOCK_HEADER
}

function storedHeader(): i32 {
  // The padding up to the byte boundary goes only once, together with the 32 bits behind it
  const odd = bitcount & 7
  if (!has(odd + 32)) return NEED_INPUT
  take(odd)
  const length = take(16)
  const complement = take(16)
  if ((length ^ complement) != 0xffff) return ERROR_STORED_LENGTHS
  left = length
  mode = STORED
  return GO_ON
}

function stored(): i32 {
  while (left > 0 && bitcount >= 8) {
    if (outPtr == outEnd) return OUT_FULL
    store<u8>(outPtr++, <u8>take(8))
    left--
  }
  if (left > 0) {
    bitbuf = 0 // what stands above bitcount is in the input still, and is taken from there
    let size = inEnd - inPtr
    if (size > left) size = left
    if (size > outEnd - outPtr) size = outEnd - outPtr
    memory.copy(outPtr, inPtr, size)
    inPtr += size
    outPtr += size
    left -= size
    if (left > 0) return outPtr == outEnd ? OUT_FULL : NEED_INPUT
  }
  endBlock()
  return GO_ON
}

function dynamicHeader(): i32 {
  if (!has(14)) return NEED_INPUT
  litlenCount = take(5) + 257
  offsetCount = take(5) + 1
  precodeCount = take(4) + 4
  if (litlenCount > 286 || offsetCount > 30) return ERROR_TOO_MANY_SYMBOLS
  memory.fill(LENGTHS, 0, 19)
  lengthIndex = 0
  mode = PRECODE_LENGTHS
  return GO_ON
}

function precodeLengths(): i32 {
  while (lengthIndex < precodeCount) {
    if (!has(3)) return NEED_INPUT
    store<u8>(LENGTHS + <usize>load<u8>(PRECODE_PLACES + lengthIndex), <u8>take(3))
    lengthIndex++
  }
  if (!buildTable(PRECODE_TABLE, PRECODE_BITS, PRECODE_RESULTS, LENGTHS, 19, false)) return ERROR_CODE_LENGTHS
  lengthIndex = 0
  mode = CODE_LENGTHS
  return GO_ON
}

function codeLengths(): i32 {
  const total = litlenCount + offsetCount
  while (lengthIndex < total) {
    if (bitcount < 14) refill() // 7 bits of a codeword and 7 extra ones
    const entry = load<u32>(PRECODE_TABLE + ((<usize>bitbuf & 127) << 2))
    const size = entry & 63
    if (size > bitcount) return NEED_INPUT
    const symbol = entry >> 16
    if (symbol < 16) {
      store<u8>(LENGTHS + lengthIndex, <u8>symbol)
      lengthIndex++
      take(size)
      continue
    }
    // 16: the former length 3..6 times; 17: zero 3..10 times; 18: zero 11..138 times
    const extra: u32 = symbol == 16 ? 2 : symbol == 17 ? 3 : 7
    if (size + extra > bitcount) return NEED_INPUT
    if (symbol == 16 && lengthIndex == 0) return ERROR_REPEAT
    const value: u8 = symbol == 16 ? load<u8>(LENGTHS + lengthIndex - 1) : 0
    take(size)
    const repeat = take(extra) + (symbol == 18 ? 11 : 3)
    if (lengthIndex + repeat > total) return ERROR_REPEAT
    memory.fill(LENGTHS + lengthIndex, value, repeat)
    lengthIndex += repeat
  }
  if (load<u8>(LENGTHS + 256) == 0) return ERROR_NO_END_OF_BLOCK
  fixedTables = false
  if (!buildTable(LITLEN_TABLE, LITLEN_BITS, LITLEN_RESULTS, LENGTHS, litlenCount, true)) return ERROR_LITERAL_CODE
  if (!buildTable(OFFSET_TABLE, OFFSET_BITS, OFFSET_RESULTS, LENGTHS + litlenCount, offsetCount, true)) return ERROR_OFFSET_CODE
  mode = SYMBOLS
  return GO_ON
}

function fixedCodes(): void {
  memory.fill(LENGTHS, 8, 144)
  memory.fill(LENGTHS + 144, 9, 112)
  memory.fill(LENGTHS + 256, 7, 24)
  memory.fill(LENGTHS + 280, 8, 8)
  buildTable(LITLEN_TABLE, LITLEN_BITS, LITLEN_RESULTS, LENGTHS, 288, true)
  memory.fill(LENGTHS, 5, 32)
  buildTable(OFFSET_TABLE, OFFSET_BITS, OFFSET_RESULTS, LENGTHS, 32, true)
}

/**
 * Builds the decode table of a canonical Huffman code. False for an over-subscribed code, and for an incomplete one unless `sparse` and it has
 * no symbol at all or a single one of one bit: the only incomplete codes that zlib takes.
 */
function buildTable(table: usize, tableBits: u32, results: usize, lengths: usize, count: u32, sparse: bool): bool {
  memory.fill(COUNTS, 0, 64)
  for (let i: u32 = 0; i < count; i++) {
    const at = COUNTS + (<usize>load<u8>(lengths + i) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  // Sort the symbols by length, then by value; meanwhile see how much of the code space is used
  let space: i32 = 1
  let index: u32 = 0
  let longest: u32 = 0
  for (let length: u32 = 1; length < 16; length++) {
    const n = load<u32>(COUNTS + (length << 2))
    store<u32>(COUNTS + 64 + (length << 2), index)
    index += n
    if (n) longest = length
    space = (space << 1) - <i32>n
    if (space < 0) return false
  }
  const used = index
  if (space > 0 && !(sparse && longest < 2)) return false
  if (longest < 2) {
    // At most one codeword of one bit, or the two of them: everything else stands for nothing
    for (let i: u32 = 0; i < 1 << tableBits; i++) store<u32>(table + (i << 2), EXCEPTIONAL | INVALID | 0x101)
    if (space > 0) {
      for (let i: u32 = 0; i < count; i++) {
        if (load<u8>(lengths + i) != 1) continue
        const entry = load<u32>(results + (i << 2)) + 0x101
        for (let at: u32 = 0; at < 1 << tableBits; at += 2) store<u32>(table + (at << 2), entry)
      }
      return true
    }
  }
  for (let i: u32 = 0; i < count; i++) {
    const length = <usize>load<u8>(lengths + i)
    if (length == 0) continue
    const at = COUNTS + 64 + (length << 2)
    const place = load<u32>(at)
    store<u16>(SORTED + (place << 1), <u16>i)
    store<u32>(at, place + 1)
  }
  // Codewords in order, bit-reversed as they stand in the stream. The table is as wide as the present length and doubles with it.
  let codeword: u32 = 0
  let width: u32 = 2
  let sorted = SORTED
  const sortedEnd = SORTED + (used << 1)
  let length: u32 = 1
  let counted: u32 = load<u32>(COUNTS + 4)
  while (true) {
    while (counted == 0) {
      length++
      if (length <= tableBits) {
        memory.copy(table + (width << 2), table, width << 2)
        width <<= 1
      }
      counted = load<u32>(COUNTS + (length << 2))
    }
    if (length > tableBits) break
    do {
      store<u32>(table + (codeword << 2), load<u32>(results + (<usize>load<u16>(sorted) << 2)) + (length << 8) + length)
      sorted += 2
      if (sorted == sortedEnd) {
        while (length < tableBits) {
          memory.copy(table + (width << 2), table, width << 2)
          width <<= 1
          length++
        }
        return true
      }
      const bit: u32 = 1 << (31 - clz(codeword ^ ((1 << length) - 1)))
      codeword = (codeword & (bit - 1)) | bit
      counted--
    } while (counted)
  }
  // Second levels, one for each first-level index that is the start of longer codewords
  let next: u32 = 1 << tableBits
  let prefix: u32 = 0xffffffff
  let level: u32 = 0
  let levelBits: u32 = 0
  while (true) {
    if ((codeword & ((1 << tableBits) - 1)) != prefix) {
      prefix = codeword & ((1 << tableBits) - 1)
      level = next
      // As many bits as the codewords that share the prefix need: they fill the second level exactly
      levelBits = length - tableBits
      let room: i32 = (1 << levelBits) - <i32>counted
      while (room > 0) {
        levelBits++
        room = (room << 1) - <i32>load<u32>(COUNTS + ((tableBits + levelBits) << 2))
      }
      next = level + (1 << levelBits)
      store<u32>(table + (prefix << 2), (level << 16) | EXCEPTIONAL | SUBTABLE | (levelBits << 8) | tableBits)
    }
    const rest = length - tableBits
    const entry = load<u32>(results + (<usize>load<u16>(sorted) << 2)) + (rest << 8) + rest
    for (let at = level + (codeword >> tableBits); at < next; at += 1 << rest) store<u32>(table + (at << 2), entry)
    sorted += 2
    if (sorted == sortedEnd) return true
    const bit: u32 = 1 << (31 - clz(codeword ^ ((1 << length) - 1)))
    codeword = (codeword & (bit - 1)) | bit
    counted--
    while (counted == 0) {
      length++
      counted = load<u32>(COUNTS + (length << 2))
    }
  }
}

/** Copies a match byte by byte, as far as it fits. */
function match(): i32 {
  let size = left
  if (size > outEnd - outPtr) size = outEnd - outPtr
  left -= size
  while (size > 0) {
    store<u8>(outPtr, load<u8>(outPtr - distance))
    outPtr++
    size--
  }
  if (left > 0) return OUT_FULL
  mode = SYMBOLS
  return GO_ON
}

// Margins of the fast loop. One round takes at most three refills of 8 bytes, the last of which may load 8 bytes from there; it writes at
// most 2 literals and a match of 258 bytes, whose last store may go 15 bytes too far (30 for a short period).
const IN_MARGIN: usize = 40
const OUT_MARGIN: usize = 320

function symbols(): i32 {
  let bb: u64 = bitbuf
  let bc: u32 = bitcount // in the fast loop only its low 6 bits count: whole entries are subtracted from it
  let ip = inPtr
  let op = outPtr
  let result: i32 = GO_ON
  const fastIn: usize = inEnd > IN_MARGIN ? inEnd - IN_MARGIN : 0
  const fastOut: usize = outEnd > OUT_MARGIN ? outEnd - OUT_MARGIN : 0
  const history = historyStart

  while (true) {
    if (ip < fastIn && op < fastOut) {
      bb |= load<u64>(ip) << bc
      ip += (~bc & 63) >> 3
      bc |= 56
      let entry = load<u32>((<usize>bb & 2047) << 2, LITLEN_TABLE)
      do {
        // Here: 56 bits or more, `entry` is the next symbol's and not yet consumed
        let saved = bb
        bb >>= entry
        bc -= entry
        if (<i32>entry < 0) {
          store<u8>(op, entry >> 16)
          op++
          entry = load<u32>((<usize>bb & 2047) << 2, LITLEN_TABLE)
          saved = bb
          bb >>= entry
          bc -= entry
          if (<i32>entry < 0) {
            store<u8>(op, entry >> 16)
            op++
            entry = load<u32>((<usize>bb & 2047) << 2, LITLEN_TABLE)
            saved = bb
            bb >>= entry
            bc -= entry
            if (<i32>entry < 0) {
              store<u8>(op, entry >> 16)
              op++
              bb |= load<u64>(ip) << bc
              ip += (~bc & 63) >> 3
              bc |= 56
              entry = load<u32>((<usize>bb & 2047) << 2, LITLEN_TABLE)
              continue
            }
          }
        }
        if (entry & EXCEPTIONAL) {
          if (entry & SUBTABLE) {
            entry = load<u32>(((entry >> 16) + (<u32>bb & ((1 << (entry >> 8)) - 1))) << 2, LITLEN_TABLE)
            saved = bb
            bb >>= entry
            bc -= entry
            if (<i32>entry < 0) {
              store<u8>(op, entry >> 16)
              op++
              bb |= load<u64>(ip) << bc
              ip += (~bc & 63) >> 3
              bc |= 56
              entry = load<u32>((<usize>bb & 2047) << 2, LITLEN_TABLE)
              continue
            }
          }
          if (entry & EXCEPTIONAL) {
            result = entry & END_OF_BLOCK ? MEMBER_END : ERROR_LITERAL
            break
          }
        }
        const length: usize = (entry >> 16) + ((<u32>saved & load<u32>((entry & 31) << 2, MASKS)) >> (entry >> 8))
        // At most 42 bits are gone: two literals of 11 and a length of 20. An offset takes up to 28.
        if ((bc & 63) < 28) {
          bb |= load<u64>(ip) << bc
          ip += (~bc & 63) >> 3
          bc |= 56
        }
        entry = load<u32>((<usize>bb & 255) << 2, OFFSET_TABLE)
        if (entry & EXCEPTIONAL) {
          if (entry & SUBTABLE) {
            bb >>= OFFSET_BITS
            bc -= OFFSET_BITS
            entry = load<u32>(((entry >> 16) + (<u32>bb & ((1 << (entry >> 8)) - 1))) << 2, OFFSET_TABLE)
          }
          if (entry & EXCEPTIONAL) {
            result = ERROR_OFFSET
            break
          }
        }
        const offset: usize = (entry >> 16) + ((<u32>bb & load<u32>((entry & 31) << 2, MASKS)) >> (entry >> 8))
        bb >>= entry
        bc -= entry
        if (offset > op - history) {
          result = ERROR_TOO_FAR
          break
        }
        bb |= load<u64>(ip) << bc
        ip += (~bc & 63) >> 3
        bc |= 56
        entry = load<u32>((<usize>bb & 2047) << 2, LITLEN_TABLE)

        let from = op - offset
        const end = op + length
        if (offset >= 16) {
          v128.store(op, v128.load(from))
          while (op + 16 < end) {
            op += 16
            from += 16
            v128.store(op, v128.load(from))
          }
        } else {
          const pattern = i8x16.swizzle(v128.load(from), v128.load(offset << 4, PATTERNS))
          const step = <usize>load<u8>(offset, STEPS)
          do {
            v128.store(op, pattern)
            op += step
          } while (op < end)
        }
        op = end
      } while (ip < fastIn && op < fastOut)
      bc &= 63
      if (result != GO_ON) break
    }

    // One careful step: the symbol is taken only when all its bits are there and its output has a place
    if (op == outEnd) {
      result = OUT_FULL
      break
    }
    if (inEnd - ip >= 8) {
      bb |= load<u64>(ip) << bc
      ip += (63 - bc) >> 3
      bc |= 56
    } else {
      while (bc <= 55 && ip < inEnd) {
        bb |= (<u64>load<u8>(ip)) << bc
        ip++
        bc += 8
      }
    }
    let bits = bb
    let size: u32 = 0
    let entry = load<u32>((<usize>bits & 2047) << 2, LITLEN_TABLE)
    if (entry & SUBTABLE) {
      bits >>= LITLEN_BITS
      size = LITLEN_BITS
      entry = load<u32>(LITLEN_TABLE + (((entry >> 16) + (<u32>bits & ((1 << (entry >> 8)) - 1))) << 2))
    }
    size += entry & 63
    if (size > bc) {
      result = NEED_INPUT
      break
    }
    if (<i32>entry < 0) {
      store<u8>(op, entry >> 16)
      op++
      bb >>= size
      bc -= size
      continue
    }
    if (entry & EXCEPTIONAL) {
      if (entry & END_OF_BLOCK) {
        bb >>= size
        bc -= size
        result = MEMBER_END
      } else result = ERROR_LITERAL
      break
    }
    const length: usize = (entry >> 16) + ((<u32>bits & ((1 << entry) - 1)) >> (entry >> 8))
    bits >>= entry
    entry = load<u32>(OFFSET_TABLE + ((<usize>bits & 255) << 2))
    if (entry & SUBTABLE) {
      bits >>= OFFSET_BITS
      size += OFFSET_BITS
      entry = load<u32>(OFFSET_TABLE + (((entry >> 16) + (<u32>bits & ((1 << (entry >> 8)) - 1))) << 2))
    }
    size += entry & 63
    if (size > bc) {
      result = NEED_INPUT
      break
    }
    if (entry & EXCEPTIONAL) {
      result = ERROR_OFFSET
      break
    }
    const offset: usize = (entry >> 16) + ((<u32>bits & ((1 << entry) - 1)) >> (entry >> 8))
    if (offset > op - history) {
      result = ERROR_TOO_FAR
      break
    }
    bb >>= size
    bc -= size
    left = length
    distance = offset
    mode = MATCH
    break
  }
  bitbuf = bb
  bitcount = bc
  inPtr = ip
  outPtr = op
  if (result == MEMBER_END) {
    endBlock()
    return GO_ON
  }
  return result
}
