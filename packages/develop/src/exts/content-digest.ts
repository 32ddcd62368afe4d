// contentDigest: a reviser that sends the SHA-256 of what it let pass as a trailer (RFC 9530), however long the content
// is.

import { createHash } from "node:crypto";
import { defineReviser, prop } from "@hemi/hemi";

export const contentDigest = defineReviser({
  sign: "contentDigest",
  props: {
    /** 0 to 31; 0 is nearest to the wire. What is digested is what leaves this reviser. */
    rank: prop.integer({ default: 4, max: 31 }),
  },
  create: ({ props }) => ({
    rank: props.rank,
    reviseResponse(_req, resp) {
      const hash = createHash("sha256");
      resp.setHeader("trailer", "content-digest");
      return {
        push(piece, next) {
          hash.update(piece);
          return next(piece);
        },
        end() {
          resp.setTrailer("content-digest", `sha-256=:${hash.digest("base64")}:`);
        },
      };
    },
  }),
});
