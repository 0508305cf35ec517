// All scenarios, by name.

import type { Scenario } from './scenario.ts';
import { contentScenarios } from './scenarios/content.ts';
import { noticeScenarios } from './scenarios/notice.ts';
import { peopleScenarios } from './scenarios/people.ts';
import { raceScenarios } from './scenarios/races.ts';
import { treeScenarios } from './scenarios/tree.ts';
import { troubleScenarios } from './scenarios/trouble.ts';
import { uploadScenarios } from './scenarios/uploads.ts';

export const scenarios: Readonly<Record<string, Scenario>> = {
  ...uploadScenarios,
  ...treeScenarios,
  ...contentScenarios,
  ...noticeScenarios,
  ...peopleScenarios,
  ...troubleScenarios,
  ...raceScenarios,
};
