// Numbers as text, as Python writes them: exactly (as in the trace's CSV files), or with nine digits for people.

// The shortest digits that read back to the same bits: 0.1, 5.0, 1e-07, 1e+16, -0.0, inf, NaN.
function exact(number) {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "NaN" : number > 0 ? "inf" : "-inf";
  if (number === 0) return Object.is(number, -0) ? "-0.0" : "0.0";
  return written(number.toExponential(), 16, ".0");
}

// What Python's format .9g gives; -0.0 is 0 to people.
function nine(number, digits = 9) {
  if (!Number.isFinite(number) || number === 0) return number === 0 ? "0" : exact(number);
  return written(number.toExponential(digits - 1).replace(/\.?0+e/, "e"), digits, "");
}

// A number in scientific notation, such as -1.25e+3, written out unless its exponent is below -4 or not below `most`.
function written(scientific, most, whole) {
  const [, sign, first, rest = "", exponent] = scientific.match(/^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/);
  const digits = first + rest, power = Number(exponent);
  if (power < -4 || power >= most) {
    const after = String(Math.abs(power)).padStart(2, "0");
    return `${sign}${first}${rest && "."}${rest}e${power < 0 ? "-" : "+"}${after}`;
  }
  if (power < 0) return `${sign}0.${"0".repeat(-power - 1)}${digits}`;
  if (digits.length <= power + 1) return sign + digits.padEnd(power + 1, "0") + whole;
  return `${sign}${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
}

const counted = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
const plural = (number, word) => `${counted(number)} ${word}${number === 1 ? "" : "s"}`;
