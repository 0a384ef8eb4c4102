import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { qr } from "../qr.js";

const drawn = (text) => qr(text).map((row) => row.map(Number).join("")).join("\n");

// All of these are, module for module, what the Python package qrcode 8.2 draws with the same mask.

test("a code is drawn to the last module", () => {
  const expected = `
111111101001001111111
100000101111101000001
101110100010101011101
101110101101101011101
101110100111001011101
100000100101101000001
111111101010101111111
000000001101100000000
101101110011101001011
010110010101111001000
110011101101000001101
101101000001001111100
100111100100100100100
000000001011001001001
111111101001100101000
100000101100000110110
101110100110111110001
101110101111001111110
101110101010101100000
100000100010010100101
111111101000010010000`.trim();
  assert.equal(drawn("A"), expected);
});

test("links of every length are drawn as others draw them", () => {
  for (const [text, size, sum] of [
    ["https://cards.example/#t-k5q2n7w3x4a6b2c7?c=q4xm91ab", 33, "fc33da48fe5f2949"],
    ["x".repeat(62), 33, "9040f52bb1e8a298"],
    ["0123456789abcdef".repeat(7), 45, "755985985dc435eb"],
    [`https://例え.jp/#t-${"q".repeat(100)}`, 45, "a8b01fb7693cd82c"],
    ["z".repeat(213), 57, "f6862dc828d614e5"],
    ["m".repeat(150), 49, "b31dfb22d380f68d"],
    ["http://127.0.0.1:8080/#t-abcdefghijklmnop", 29, "7c99d9342679743d"],
  ]) {
    const code = drawn(text);
    assert.equal(code.split("\n").length, size, text);
    assert.equal(createHash("sha256").update(code).digest("hex").slice(0, 16), sum, text);
  }
});

test("what is too long is said so", () => {
  assert.throws(() => qr("z".repeat(214)), Error);
});
