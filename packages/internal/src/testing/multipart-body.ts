// For tests: multipart forms, made up and as real clients write them. Bytes are characters.

export interface WrittenPart {
  readonly name: string;
  readonly content: string;
  /** Makes it a file. */
  readonly fileName?: string;
}

/** As browsers write it. */
export function multipart(boundary: string, parts: readonly WrittenPart[]): string {
  const written = parts.map(({ name, content, fileName }) => {
    const file = fileName === undefined ? "" : `; filename="${fileName}"\r\nContent-Type: text/plain`;
    const head = Buffer.from(`Content-Disposition: form-data; name="${name}"${file}`).toString("latin1");
    return `--${boundary}\r\n${head}\r\n\r\n${content}\r\n`;
  });
  return `${written.join("")}--${boundary}--\r\n`;
}

const latin1 = (text: string): string => Buffer.from(text).toString("latin1");

/** One form of two fields, a file, and a field where no file was chosen; `parts` as `multipart.test.ts` shows them. */
export const bodies = {
  Chromium: {
    boundary: "----WebKitFormBoundarybE7hAOTeWBy1QWYI",
    content: latin1(
      '------WebKitFormBoundarybE7hAOTeWBy1QWYI\r\nContent-Disposition: form-data; name="title"\r\n\r\nGrüße\r\n' +
        '------WebKitFormBoundarybE7hAOTeWBy1QWYI\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\n\r\n' +
        '------WebKitFormBoundarybE7hAOTeWBy1QWYI\r\nContent-Disposition: form-data; name="doc"; filename="nö.txt"\r\n' +
        "Content-Type: text/plain\r\n\r\none\r\n--two\r\n\r\n" +
        '------WebKitFormBoundarybE7hAOTeWBy1QWYI\r\nContent-Disposition: form-data; name="none"; filename=""\r\n' +
        "Content-Type: application/octet-stream\r\n\r\n\r\n" +
        "------WebKitFormBoundarybE7hAOTeWBy1QWYI--\r\n",
    ),
    parts: ["title=Grüße", 'a"b=', "doc|nö.txt|text/plain|one\r\n--two\r\n", "none||application/octet-stream|"],
  },
  Firefox: {
    boundary: "---------------------------974767299852498929531610575",
    content: latin1(
      '-----------------------------974767299852498929531610575\r\nContent-Disposition: form-data; name="title"\r\n\r\n' +
        "line 1\r\nline 2\r\n" +
        '-----------------------------974767299852498929531610575\r\nContent-Disposition: form-data; name="doc"; filename="a b.bin"\r\n' +
        "Content-Type: application/octet-stream\r\n\r\n\r\n\r\r\n\n\r\n" +
        "-----------------------------974767299852498929531610575--\r\n",
    ),
    parts: ["title=line 1\r\nline 2", "doc|a b.bin|application/octet-stream|\r\n\r\r\n\n"],
  },
  curl: {
    boundary: "------------------------d74496d66958873e",
    content:
      '--------------------------d74496d66958873e\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n' +
      '--------------------------d74496d66958873e\r\nContent-Disposition: form-data; name="doc"; filename="x.json"\r\n' +
      "Content-Type: application/json\r\n\r\n{}\r\n" +
      "--------------------------d74496d66958873e--\r\n",
    parts: ["title=hello", "doc|x.json|application/json|{}"],
  },
  undici: {
    boundary: "----formdata-undici-032196041837",
    content:
      '------formdata-undici-032196041837\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n' +
      '------formdata-undici-032196041837\r\nContent-Disposition: form-data; name="doc"; filename="blob"\r\n' +
      "Content-Type: application/octet-stream\r\n\r\n\xff\x00\r\n" +
      "------formdata-undici-032196041837--\r\n",
    parts: ["title=hello", "doc|blob|application/octet-stream|\xff\x00"],
  },
  "a mail program": {
    boundary: "=_b",
    content:
      "This is for those who cannot read it.\r\n--=_b\r\ncontent-type: text/plain; charset=utf-8\r\nX-Else: 1\r\ncontent-disposition: form-data;\r\n name=title\r\ncontent-transfer-encoding: binary\r\n\r\n" +
      "hello\r\n--=_b--\r\nand an epilogue",
    parts: ["title=hello"],
  },
} as const;
