// Unpack: the page's data, from base64 of gzip to tables of numbers, every bit of them. page/packing.py is the other half.

async function unpack(text) {
  const zipped = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  const content = await new Response(stream).arrayBuffer();
  const size = new DataView(content).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 4, size)));
  const blocks = {};
  let place = 4 + size;
  for (const [name, [columns, rows]] of Object.entries(header.blocks)) {
    const length = rows === undefined ? columns : 8 * columns * rows;
    const bytes = new Uint8Array(content, place, length);
    blocks[name] = rows === undefined ? bytes : numbersOf(bytes, columns, rows);
    place += length;
  }
  return {header, blocks};
}

// A block: the highest bytes of all second differences, then the next lower ones, down to the lowest.
// Two 32-bit halves stand for each 64-bit pattern, because a JavaScript number cannot hold one.
function numbersOf(bytes, columns, rows) {
  const count = columns * rows, table = [];
  const half = (first, at) =>
    (bytes[first * count + at] << 24 | bytes[(first + 1) * count + at] << 16
      | bytes[(first + 2) * count + at] << 8 | bytes[(first + 3) * count + at]) >>> 0;
  const pattern = new DataView(new ArrayBuffer(8));
  for (let column = 0; column < columns; column++) {
    const numbers = new Float64Array(rows);
    let high = 0, low = 0, highBefore = 0, lowBefore = 0;
    for (let row = 0; row < rows; row++) {
      const at = column * rows + row;
      const lowSum = half(4, at) + 2 * low - lowBefore;  // difference + 2 * last - the one before it
      const lowNext = lowSum >>> 0;
      const carry = (lowSum - lowNext) / 4294967296;
      const highNext = (half(0, at) + 2 * high - highBefore + carry) >>> 0;
      [highBefore, lowBefore, high, low] = [high, low, highNext, lowNext];
      pattern.setUint32(0, high);
      pattern.setUint32(4, low);
      numbers[row] = pattern.getFloat64(0);
    }
    table.push(numbers);
  }
  return table;
}
