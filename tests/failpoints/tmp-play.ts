import { play } from './play.ts';
import { scenarios } from './scenarios.ts';
import { openStage } from './stage.ts';

const stage = await openStage({ keepsReady: false });
const names = process.argv.slice(2).length ? process.argv.slice(2) : Object.keys(scenarios);
for (const name of names) {
  const t = Date.now();
  const out = await Promise.race([
    play(stage, name).then(
      () => 'ok',
      (e) => 'FAIL ' + String(e.message).slice(0, 200),
    ),
    new Promise((r) => setTimeout(r, 15000, 'HUNG')),
  ]);
  if (out !== 'ok') console.log(name, out, Date.now() - t);
  else console.log(name, Date.now() - t);
  if (out === 'HUNG') process.exit(0);
}
process.exit(0);
