import fc from "fast-check";
import { expect, test } from "vitest";
import { LineGatherer } from "./line-gatherer.ts";
import { flat } from "./lines/flat.ts";

test("lines are gathered byte for byte, however they are put together, but for those that are dropped", () => {
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 300 });
  const piece = fc.oneof(
    ascii.map((text) => ({ text, isASCII: true })),
    fc.string({ unit: "binary", maxLength: 300 }).map((text) => ({ text, isASCII: false })),
  );
  const line = fc.record({ pieces: fc.array(piece, { maxLength: 8 }), isDropped: fc.boolean(), isFlat: fc.boolean() });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      const gatherer = new LineGatherer();
      let expected = "";
      for (const { pieces, isDropped, isFlat } of lines) {
        let text = "";
        for (const piece of pieces) {
          text += piece.text;
          if (piece.isASCII) gatherer.add(isFlat ? flat(piece.text) : piece.text);
          else gatherer.addText(piece.text);
        }
        expect(gatherer.size).toBe(Buffer.byteLength(expected));
        expect(gatherer.sizeWithLine).toBe(Buffer.byteLength(expected + text));
        if (isDropped) gatherer.dropLine();
        else gatherer.endLine();
        if (!isDropped) expected += text;
      }
      expect(gatherer.bytes.equals(Buffer.from(expected))).toBe(true);
      gatherer.clear();
      expect(gatherer.bytes.length).toBe(0);
    }),
  );
});
