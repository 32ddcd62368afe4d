// A backend of WebSockets that parses nothing: it accepts, and sends back each frame of the load, which are all alike,
// without its mask.

import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { acceptKey, answerFrame, frameSize } from "../websocket-frames.ts";

createServer({ noDelay: true }, (socket) => {
  let head = "";
  let owed = 0;
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    if (head.includes("\r\n\r\n")) owed += chunk.length;
    else {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      owed = head.length - end - 4;
      const [, key = ""] = /^sec-websocket-key: *(\S+)/im.exec(head) ?? [];
      const accept = createHash("sha1").update(acceptKey(key)).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
      );
    }
    for (; owed >= frameSize; owed -= frameSize) socket.write(answerFrame);
  });
}).listen(Number(process.env["PORT"]), "127.0.0.1");
