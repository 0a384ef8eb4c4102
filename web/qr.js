/**
 * QR codes (ISO/IEC 18004): a text as bytes, at error correction level M, in the smallest of the versions 1 to 10, which is enough for a link of
 * 213 bytes. Written for this page; no code of others.
 */

/** Of each version: how many error correction bytes each block has, and the data bytes of its blocks. */
const BLOCKS = [
  null,
  [10, [16]],
  [16, [28]],
  [26, [44]],
  [18, [32, 32]],
  [24, [43, 43]],
  [16, [27, 27, 27, 27]],
  [18, [31, 31, 31, 31]],
  [22, [38, 38, 39, 39]],
  [22, [36, 36, 36, 37, 37]],
  [26, [43, 43, 43, 43, 44]],
];

/** Of each version: where the middles of the small squares are. */
const ALIGNED = [null, [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];

/** What each mask turns over. */
const MASKS = [
  (r, c) => (r + c) % 2 === 0,
  (r) => r % 2 === 0,
  (r, c) => c % 3 === 0,
  (r, c) => (r + c) % 3 === 0,
  (r, c) => (Math.floor(r / 2) + Math.floor(c / 3)) % 2 === 0,
  (r, c) => ((r * c) % 2) + ((r * c) % 3) === 0,
  (r, c) => (((r * c) % 2) + ((r * c) % 3)) % 2 === 0,
  (r, c) => (((r + c) % 2) + ((r * c) % 3)) % 2 === 0,
];

/** Powers of 2 in the field of 256 elements, and their logarithms. */
const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let at = 0, power = 1; at < 255; at += 1) {
  EXP[at] = EXP[at + 255] = power;
  LOG[power] = at;
  power = (power << 1) ^ (power & 0x80 ? 0x11d : 0);
}

const times = (a, b) => (a && b ? EXP[LOG[a] + LOG[b]] : 0);

/**
 * @param {string} text
 * @returns {boolean[][]} rows of modules, dark ones true, without the quiet border
 */
export function qr(text) {
  const bytes = new TextEncoder().encode(text);
  const version = BLOCKS.findIndex((blocks, at) => blocks && bitsOf(bytes, at) <= 8 * sum(blocks[1]));
  if (version < 0) throw new Error("too long for a QR code of version 10");
  const stream = interleaved(dataOf(bytes, version), version);
  let best = null;
  for (let mask = 0; mask < MASKS.length; mask += 1) {
    const modules = drawn(stream, version, mask);
    const cost = penalty(modules);
    if (!best || cost < best.cost) best = { cost, modules };
  }
  return best.modules;
}

const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);
const countBits = (version) => (version < 10 ? 8 : 16);
const bitsOf = (bytes, version) => 4 + countBits(version) + 8 * bytes.length;

/** The data bytes: mode, count, text, and padding. */
function dataOf(bytes, version) {
  const size = sum(BLOCKS[version][1]);
  const bits = [];
  const put = (value, count) => {
    for (let at = count - 1; at >= 0; at -= 1) bits.push((value >> at) & 1);
  };
  put(0b0100, 4);
  put(bytes.length, countBits(version));
  bytes.forEach((byte) => put(byte, 8));
  put(0, Math.min(4, 8 * size - bits.length));
  while (bits.length % 8) bits.push(0);
  const data = [];
  for (let at = 0; at < bits.length; at += 8) data.push(Number.parseInt(bits.slice(at, at + 8).join(""), 2));
  for (let pad = 0xec; data.length < size; pad ^= 0xec ^ 0x11) data.push(pad);
  return data;
}

/** What is divided by for so many error correction bytes, without its first coefficient, which is 1. */
function generator(count) {
  let poly = [1];
  for (let at = 0; at < count; at += 1) {
    const next = [...poly, 0];
    poly.forEach((factor, index) => (next[index + 1] ^= times(factor, EXP[at])));
    poly = next;
  }
  return poly.slice(1);
}

/** Error correction bytes of a block. */
function corrections(data, divisor) {
  const rest = new Array(divisor.length).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest.shift();
    rest.push(0);
    divisor.forEach((one, at) => (rest[at] ^= times(one, factor)));
  }
  return rest;
}

/** The blocks' bytes in turn, then those of their error correction. */
function interleaved(data, version) {
  const [count, sizes] = BLOCKS[version];
  const divisor = generator(count);
  let from = 0;
  const blocks = sizes.map((size) => data.slice(from, (from += size)));
  const checks = blocks.map((block) => corrections(block, divisor));
  const inTurn = (lists) => {
    const longest = Math.max(...lists.map((list) => list.length));
    return Array.from({ length: longest }, (_, at) => lists.filter((list) => at < list.length).map((list) => list[at])).flat();
  };
  return [...inTurn(blocks), ...inTurn(checks)];
}

/** Bits with the rest of their division behind them. */
function checked(value, divisor, bits) {
  const degree = 31 - Math.clz32(divisor);
  let rest = value << degree;
  for (let at = bits - 1; at >= 0; at -= 1) if (rest & (1 << (at + degree))) rest ^= divisor << at;
  return (value << degree) | rest;
}

function drawn(stream, version, mask) {
  const size = 17 + 4 * version;
  const modules = Array.from({ length: size }, () => new Array(size).fill(null));
  const put = (row, column, dark) => {
    if (row >= 0 && column >= 0 && row < size && column < size) modules[row][column] = dark;
  };
  const square = (row, column, reach, dark) => {
    for (let r = -reach; r <= reach; r += 1) for (let c = -reach; c <= reach; c += 1) put(row + r, column + c, dark(Math.max(Math.abs(r), Math.abs(c))));
  };
  for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]]) square(row, column, 4, (ring) => ring !== 2 && ring !== 4);
  for (let at = 8; at < size - 8; at += 1) {
    put(6, at, at % 2 === 0);
    put(at, 6, at % 2 === 0);
  }
  const middles = ALIGNED[version];
  const last = middles.at(-1);
  for (const row of middles) for (const column of middles) if (!(row === 6 && (column === 6 || column === last)) && !(column === 6 && row === last)) square(row, column, 2, (ring) => ring !== 1);
  drawFormat(put, size, mask);
  if (version >= 7) {
    const bits = checked(version, 0x1f25, 6);
    for (let at = 0; at < 18; at += 1) {
      const [long, short] = [Math.floor(at / 3), size - 11 + (at % 3)];
      const dark = ((bits >> at) & 1) === 1;
      put(long, short, dark);
      put(short, long, dark);
    }
  }
  // In pairs of columns from the right, up and down; the column of the timing pattern is left out.
  let at = 0;
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right -= 1;
    for (let step = 0; step < size; step += 1) {
      const row = up ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (modules[row][column] !== null) continue;
        const bit = (stream[at >> 3] >> (7 - (at & 7))) & 1;
        modules[row][column] = (bit === 1) !== MASKS[mask](row, column);
        at += 1;
      }
    }
  }
  return modules;
}

/** Level M is 0; so the format is the mask alone. */
function drawFormat(put, size, mask) {
  const bits = checked(mask, 0x537, 5) ^ 0x5412;
  const dark = (at) => ((bits >> at) & 1) === 1;
  for (let at = 0; at < 15; at += 1) {
    const down = at < 6 ? at : at < 8 ? at + 1 : size - 15 + at;
    put(down, 8, dark(at));
    const along = at < 8 ? size - 1 - at : at < 9 ? 7 : 14 - at;
    put(8, along, dark(at));
  }
  put(size - 8, 8, true);
}

/** How hard it is to read: long runs, squares, what looks like a corner, and too much of one colour. */
function penalty(modules) {
  const size = modules.length;
  const lines = [...modules, ...modules.map((_, column) => modules.map((row) => row[column]))];
  let cost = 0;
  for (const line of lines) {
    let run = 1;
    for (let at = 1; at <= size; at += 1) {
      if (line[at] === line[at - 1]) run += 1;
      else {
        if (run >= 5) cost += run - 2;
        run = 1;
      }
    }
    const text = line.map(Number).join("");
    for (const corner of ["10111010000", "00001011101"]) for (let at = text.indexOf(corner); at >= 0; at = text.indexOf(corner, at + 1)) cost += 40;
  }
  for (let row = 1; row < size; row += 1) {
    for (let column = 1; column < size; column += 1) {
      const here = modules[row][column];
      if (here === modules[row - 1][column] && here === modules[row][column - 1] && here === modules[row - 1][column - 1]) cost += 3;
    }
  }
  const darks = sum(modules.flat().map(Number));
  return cost + 10 * Math.floor(Math.abs((darks * 20) / (size * size) - 10));
}
