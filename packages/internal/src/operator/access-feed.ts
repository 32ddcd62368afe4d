// Access lines for those who follow the traffic live. While nobody does, nothing is built: whoever serves asks
// `isFollowed` first.

/** Which requests a follower wants; all that is given must be true. */
export interface AccessFilter {
  /**
   * With a slash at its beginning: the beginning of the request's path. Otherwise the path of the component that
   * handled it, or of one that this one stands in: `webapp.shop`.
   */
  readonly path?: string;
  /** A status such as `404`, or a class such as `5xx`. */
  readonly status?: string;
  /** The request took at least so long, in ms. */
  readonly slow?: number;
}

/** What filters look at. */
export interface AccessFacts {
  /** Of the request, encoded, without the query. */
  readonly path: string;
  /** For example `webapp.shop/rule.assets/static`. */
  readonly component: string;
  /** Of the response; 499 if the client left before there was one. */
  readonly status: number;
  /** In ms. */
  readonly totalTime: number;
}

interface Follower {
  readonly filter: AccessFilter;
  readonly take: (line: string) => void;
}

/** Gives lines to those who follow. */
export class AccessFeed {
  /** Replaced, so that a follower may leave while lines are given out. */
  #followers: readonly Follower[] = [];
  #isFollowed = false;

  /** Whether lines are wanted at all. */
  get isFollowed(): boolean {
    return this.#isFollowed;
  }

  /**
   * Gives the lines of requests that begin from now on: one JSON object each, as of `docs/access-log.md`. `take` must
   * not throw. Returns the function that ends this.
   */
  follow(filter: AccessFilter, take: (line: string) => void): () => void {
    const follower = { filter, take };
    this.#set([...this.#followers, follower]);
    return () => this.#set(this.#followers.filter((other) => other !== follower));
  }

  /** A request is over. `makeLine` is called at most once, and only if somebody wants the line. */
  offer(facts: AccessFacts, makeLine: () => string): void {
    let line: string | undefined;
    for (const { filter, take } of this.#followers) if (isWanted(facts, filter)) take((line ??= makeLine()));
  }

  #set(followers: readonly Follower[]): void {
    this.#followers = followers;
    this.#isFollowed = followers.length > 0;
  }
}

function isWanted(facts: AccessFacts, { path, status, slow }: AccessFilter): boolean {
  if (slow !== undefined && facts.totalTime < slow) return false;
  if (status !== undefined && !isStatus(facts.status, status)) return false;
  if (path === undefined) return true;
  if (path.startsWith("/")) return facts.path.startsWith(path);
  return facts.component === path || facts.component.startsWith(`${path}/`);
}

/** `5xx` stands for 500 to 599. */
function isStatus(status: number, wanted: string): boolean {
  return wanted.endsWith("xx") ? Math.floor(status / 100) === Number(wanted[0]) : status === Number(wanted);
}
