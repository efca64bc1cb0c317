// Preloaded into `hsw daemon` (node --import): its clock runs at the pace in the environment. Nothing else of it is changed.
import { systemClock } from '../../dist/shared/clock.js';
import { ENVIRONMENT, fastClock } from './fast-clock.mjs';

Object.assign(systemClock, fastClock(JSON.parse(process.env[ENVIRONMENT]), { sleep: systemClock.sleep }));
