// What one client of a history does with buckets. It is one alone, so that the order of what it does is known.

import { deleteObject, requireRoomFor } from './object-requests.ts';
import { keys, lastingBucket, passingBucket, type Workplace } from './workplace.ts';

export function administer(place: Workplace): Promise<void> {
  const { random, model } = place;
  if (random.chance(0.4)) return configure(place, random.chance(0.7) ? lastingBucket : passingBucket);
  return model.bucketExists(passingBucket) ? deletePassing(place) : createBucket(place, passingBucket);
}

export async function createBucket(place: Workplace, name: string): Promise<void> {
  const { store, model } = place;
  const operation = model.number();
  model.beginCreateBucket(name, operation);
  const durability = model.promised(name);
  const answer = await place.ask(
    `${operation}: create bucket ${name}`,
    () => store.createBucket({ name, owner: 'owner', region: 'eu-central-1', durability }),
    () => [],
  );
  if (answer.kind === 'acknowledged') model.acknowledgeCreateBucket(name, operation);
  else if (!answer.doubtful) model.refuseBucket(name, operation);
}

/** Empties it first, mostly; others may put again meanwhile. */
async function deletePassing(place: Workplace): Promise<void> {
  const { store, model, random } = place;
  if (random.chance(0.8)) {
    await Promise.all(keys.map((key) => deleteObject(place, { bucket: passingBucket, key })));
  }
  const operation = model.number();
  model.beginDeleteBucket(passingBucket, operation);
  const name = `${operation}: delete bucket ${passingBucket}`;
  const answer = await place.ask(
    name,
    () => store.deleteBucket(passingBucket),
    () => ['BucketNotEmpty'],
  );
  if (answer.kind === 'acknowledged') {
    model.acknowledgeDeleteBucket(passingBucket, operation);
    return;
  }
  requireRoomFor(answer.code, name);
  if (!answer.doubtful) model.refuseBucket(passingBucket, operation);
}

async function configure(place: Workplace, bucket: string): Promise<void> {
  const { store, model, random } = place;
  const kind = random.pick(['cors', 'tagging']);
  const value = random.chance(0.3) ? undefined : model.number();
  model.beginConfiguration(bucket, kind, value);
  const answer = await place.ask(
    `${kind} ${value} of ${bucket}`,
    () => store.putBucketConfiguration(bucket, kind, value),
    () => (model.bucketExists(bucket) ? [] : ['NoSuchBucket']),
  );
  const acknowledged = answer.kind === 'acknowledged';
  if (acknowledged || !answer.doubtful) model.endConfiguration(bucket, kind, value, acknowledged);
}
