// Notifications of the bucket dropped, tripled, reordered, late, invented or none at all, beside clients that say something or nothing:
// each file ends in the same state. Design §6, invariant 5.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { randomOf } from '../failpoints/prove-failpoints.ts';
import { sendWhole } from '../failpoints/world.ts';
import { dayMs, hourMs, minuteMs, requestOf, ServiceFixture } from '../files/service-fixture.ts';

const secret = 'a secret of enough characters';
const limits = { multipartThresholdBytes: 1024, requestsPerSecond: 1_000_000 };

/** What becomes of each event on its way. */
const journeys = {
  'all once': (events, _random) => events,
  none: () => [],
  dropped: (events, random) => events.filter(() => random() < 0.5),
  tripled: (events) => events.flatMap((event) => [event, event, event]),
  reordered: (events, random) => shuffled(events, random),
  'tripled and reordered': (events, random) => shuffled([...events, ...events, ...events], random),
  'of others, and misspelt': (events) => events.flatMap((event) => [`${event}0`, 'photo.jpg', event]),
} as const satisfies Readonly<Record<string, (events: readonly string[], random: () => number) => readonly string[]>>;

/** When they come: while files are sent, when all was sent, or when all is over. */
const moments = ['at once', 'afterwards', 'late'] as const;

interface Sent {
  readonly id: string;
  /** Whether the client says that it has sent everything. */
  readonly says: boolean;
}

/** One world: files of all kinds, of which some are never sent whole. Answers how each ends, in the order of their making. */
async function run(
  t: TestContext,
  { seed, journey, moment }: { seed: number; journey: keyof typeof journeys; moment: (typeof moments)[number] },
): Promise<readonly string[]> {
  const random = randomOf(seed);
  const files = await ServiceFixture.open(t, { eventsIn: { secret }, limits });
  const sent: Sent[] = [];
  const told: string[] = [];
  const tell = async (): Promise<void> => {
    const keys = files.keys().filter((key) => !key.startsWith('previews/') && !told.includes(key));
    told.push(...keys);
    for (const key of journeys[journey](keys, random)) await post(files, key);
  };
  for (const [name, bytes, over] of kinds) {
    const upload = await files.announce({ name, sizeBytes: bytes.length, ...over });
    // Too early: of bytes that are not there.
    if (random() < 0.3) await post(files, files.row(upload.id).objectKey);
    if (name !== 'never.txt') {
      if (upload.strategy === 'multipart') await files.sendParts(upload, bytes);
      else assert.ok((await sendWhole(requestOf(upload), bytes)) < 300);
    }
    sent.push({ id: upload.id, says: random() < 0.5 });
    if (moment === 'at once') await tell();
  }
  if (moment === 'afterwards') await tell();
  for (const { id, says } of sent) if (says) await files.respond('completeUpload', { id });
  await files.tick();
  files.advance(11 * minuteMs);
  await files.tick();
  files.advance(dayMs + minuteMs);
  await files.tick();
  if (moment === 'late') await tell();
  await files.tick();
  files.advance(hourMs);
  await files.tick();
  return sent.map(({ id }, index) => `${kinds[index]?.[0]} ${files.row(id).state} ${files.row(id).sizeBytes}`);
}

const kinds = [
  ['put.txt', Buffer.from('good'), {}],
  ['form.txt', Buffer.from('form'), { accepts: ['form'] }],
  ['parts.txt', Buffer.alloc(3000, 'parts '), {}],
  ['never.txt', Buffer.from('never'), {}],
  ['program.txt', Buffer.from('\x7fELF\x02\x01\x01'.padEnd(64, '\0'), 'latin1'), {}],
  ['last.txt', Buffer.from('last'), {}],
] as const;

test('whatever becomes of events, files end as they end without', async (t) => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const expected = [
    'put.txt ready 4',
    'form.txt ready 4',
    'parts.txt ready 3000',
    'never.txt purged 5',
    'program.txt rejected 64',
    'last.txt ready 4',
  ];
  let count = 0;
  for (const journey of Object.keys(journeys) as (keyof typeof journeys)[]) {
    for (const moment of moments) {
      if (journey === 'none' && moment !== 'at once') continue;
      const own = seed + count++;
      await t.test(`${journey}, ${moment} (${own})`, async (within) => {
        assert.deepEqual(await run(within, { seed: own, journey, moment }), expected);
      });
    }
  }
});

async function post(files: ServiceFixture, key: string): Promise<void> {
  const Records = [{ s3: { bucket: { name: 'stowage-files' }, object: { key: encodeURIComponent(key) } } }];
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` };
  const body = JSON.stringify({ Records });
  const answer = await files.send(
    new Request('http://files.test/internal/s3-events', { method: 'POST', headers, body }),
  );
  assert.equal(answer.status, 204);
}

function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  return items
    .map((item) => ({ item, place: random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ item }) => item);
}
