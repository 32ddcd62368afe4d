// How long whoever answers may take, where a webapp, a rule or a proxy knows better than the server.

import { prop } from "../../component/prop.ts";

export const handleTimeoutProps = {
  /**
   * Until a handlet sends its head (then 503), and between two pieces of its content (then the answer is broken off):
   * in place of `handleTimeout` of the
   * server, which says what is the case where neither a proxy, nor its rule, webapp or stage sets this.
   */
  handleTimeout: prop.duration({ min: "1ms", inherited: true, reload: "live" }),
};
