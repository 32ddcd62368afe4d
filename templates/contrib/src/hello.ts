// hello: greets whoever asks.

import { answerOtherMethod, defineHandlet, prop } from "@hemi/internal";

/** Answers GET and HEAD with a greeting, and other methods with 405. */
export const hello = defineHandlet({
  sign: "hello",
  props: {
    /** What is said before the name, which is the query parameter `name`. */
    greeting: prop.string({ default: "Good day", minLength: 1, maxLength: 1000, reload: "live" }),
  },
  create: ({ props }) => ({
    handle(req, resp) {
      if (req.method === "GET" || req.method === "HEAD") {
        // Read anew for each request: a reload may have put another greeting there.
        resp.send(`${props.greeting}, ${req.query("name") ?? "whoever you are"}!`);
      } else answerOtherMethod(req, resp, ["GET", "HEAD"]);
      return true;
    },
  }),
});
