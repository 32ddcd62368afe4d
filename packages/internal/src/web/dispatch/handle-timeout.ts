// How long whoever answers may take, where a webapp, a rule or a proxy knows better than the server.

import { prop } from "../../component/prop.ts";

export const handleTimeoutProps = {
  /**
   * Time limit for the head of a response (after that: 503), and between two pieces of its content (after that the
   * response is aborted). Default: `handleTimeout` of the server.
   */
  handleTimeout: prop.duration({ min: "1ms", inherited: true, reload: "live" }),
};
