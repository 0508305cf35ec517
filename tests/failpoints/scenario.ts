// A scenario: what a client does with the service, from the first request to the last. It is played whole, whether the service dies in
// it or not, and ends the same.

import type { LifeOptions } from './failpoint-messages.ts';
import type { Stage } from './stage.ts';
import type { World } from './world.ts';

export interface Scenario {
  readonly options?: (stage: Stage) => Promise<Partial<LifeOptions>> | Partial<LifeOptions>;
  readonly play: (world: World) => Promise<void>;
  /** Whether what it reaches depends on who is faster: then what it reached once counts. */
  readonly racing?: true;
  /** A program that it needs; without it its failpoints are passed over. */
  readonly needs?: 'postgres';
}
