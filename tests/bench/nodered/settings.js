// Node-RED without its editor, and with better-sqlite3 within reach of function nodes.
module.exports = {
  uiHost: '127.0.0.1',
  uiPort: Number(process.env.BENCH_UI_PORT),
  disableEditor: true,
  httpAdminRoot: false,
  httpNodeRoot: false,
  credentialSecret: false,
  flowFile: 'flows.json',
  telemetry: { enabled: false, updateNotification: false },
  functionGlobalContext: { sqlite: require('better-sqlite3') },
  logging: { console: { level: 'info', metrics: false, audit: false } },
};
