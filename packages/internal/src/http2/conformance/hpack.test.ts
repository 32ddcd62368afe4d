// RFC 7541, as a whole connection sees it: each block is the head of a request.

import {
  answers,
  describeConformance,
  endsConnection,
  hexGet,
  hexRequest,
  type ConformanceCase,
} from "../../testing/conformance.ts";

const name = "06 782d74657374"; // x-test
const huffmanName = "85 f2b24a84ff"; // x-test
const value = "04 68656d69"; // hemi
const huffmanValue = "83 9cb49b"; // hemi
const userAgent = "0f2b"; // index 58 of the static table in four bits

function served(what: string, hex: string, field: readonly [string, string]): ConformanceCase {
  return [what, answers(1, { fields: [field] }), () => [hexRequest(1, `${hexGet} ${hex}`)]];
}

function broken(what: string, hex: string): ConformanceCase {
  return [what, endsConnection("COMPRESSION_ERROR"), () => [hexRequest(1, hex)]];
}

const test = ["x-test", "hemi"] as const;
const agent = ["user-agent", "hemi"] as const;

describeConformance("RFC 7541", {
  "2.3.3": [
    broken("a field of an index beyond both tables", `${hexGet} be`),
    broken("a literal whose name is of an index beyond both tables", `${hexGet} 7f00 ${value}`),
    [
      "the newest field of the dynamic table",
      answers(3, { fields: [test] }),
      async (client) => {
        client.send(hexRequest(1, `${hexGet} 40 ${name} ${value}`));
        await client.response(1);
        return [hexRequest(3, `${hexGet} be`)];
      },
    ],
  ],
  "4.2": [
    broken("a change of the table's size behind a field", `${hexGet} 20`),
    ["two changes of the table's size", answers(1), () => [hexRequest(1, `20 3fe11f ${hexGet}`)]],
    [
      "a table of no size, which forgets all,",
      endsConnection("COMPRESSION_ERROR"),
      () => [hexRequest(1, `${hexGet} 40 ${name} ${value}`), hexRequest(3, `20 ${hexGet} be`)],
    ],
  ],
  "4.4": [
    [
      "a field larger than the table, which empties it,",
      endsConnection("COMPRESSION_ERROR"),
      () => [
        hexRequest(1, `${hexGet} 40 ${name} ${value}`),
        hexRequest(3, `${hexGet} 40 ${name} 7fa11f ${"61".repeat(4128)}`),
        hexRequest(5, `${hexGet} be`),
      ],
    ],
  ],
  "5.1": [
    broken("an integer without end", `${hexGet} ff ${"80".repeat(20)} 00`),
    broken("an integer that is cut off", `${hexGet} ff80`),
  ],
  "5.2": [
    broken("a string that is longer than its block", `${hexGet} 00 ${name} 05 61`),
    broken("Huffman padding of more than 7 bits", `${hexGet} 00 ${name} 84 9cb49bff`),
    broken("Huffman padding of zeros", `${hexGet} 00 ${name} 81 18`),
    broken("a Huffman string that holds EOS", `${hexGet} 00 ${name} 84 ffffffff`),
  ],
  "6.1": [
    broken("index 0", `${hexGet} 80`),
    [
      "a field of the static table",
      answers(1, { fields: [["accept-encoding", "gzip, deflate"]] }),
      () => [hexRequest(1, `${hexGet} 90`)],
    ],
  ],
  "6.2": (
    [
      ["that is added to the table", "40", "7a"],
      ["that is not added to the table", "00", userAgent],
      ["that is never added to a table", "10", "1f2b"],
    ] as const
  ).flatMap(([what, newName, indexedName]) => [
    served(`a literal ${what}, with a name of the static table`, `${indexedName} ${value}`, agent),
    served(`a literal ${what}, with a name of the static table and Huffman`, `${indexedName} ${huffmanValue}`, agent),
    served(`a literal ${what}, with a new name`, `${newName} ${name} ${value}`, test),
    served(`a literal ${what}, with a new name and Huffman`, `${newName} ${huffmanName} ${huffmanValue}`, test),
  ]),
  "6.3": [
    ["a table of no size", answers(1), () => [hexRequest(1, `20 ${hexGet}`)]],
    ["a table as large as allowed", answers(1), () => [hexRequest(1, `3fe11f ${hexGet}`)]],
    broken("a table larger than allowed", `3fe21f ${hexGet}`),
  ],
});
