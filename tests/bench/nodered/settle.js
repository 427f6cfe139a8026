// The function node: one transaction a tap, on the disk before the verdict leaves.
let job = context.get('job');
if (!job) {
  const db = new (global.get('sqlite'))(env.get('BENCH_DATABASE'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  const card = db.prepare('SELECT id, member FROM card WHERE data = ?');
  const tap = db.prepare(
    'INSERT INTO tap (reader, tap_id, data, card, outcome, received_at) VALUES (?, ?, ?, ?, ?, ?)');
  const entry = db.prepare('INSERT INTO entry (tap, member, amount) VALUES (?, ?, 1)');
  const move = db.prepare('UPDATE account SET balance = balance + 1 WHERE member = ?');
  job = db.transaction((reader, said) => {
    const found = card.get(said.d);
    const outcome = found ? 'accepted' : 'rejected';
    const now = new Date().toISOString();
    const row = tap.run(reader, said.id, said.d, found ? found.id : null, outcome, now);
    if (found) {
      entry.run(row.lastInsertRowid, found.member);
      move.run(found.member);
    }
    return outcome;
  });
  context.set('job', job);
}
const [, , shop, reader] = msg.topic.split('/');
const said = JSON.parse(msg.payload);
const outcome = job(reader, said);
return {
  topic: `besnik/v1/${shop}/${reader}/verdict`,
  payload: JSON.stringify({ id: said.id, r: outcome, why: outcome === 'accepted' ? 'ok' : 'unknown' }),
  qos: 1,
};
