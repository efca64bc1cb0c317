// Preloaded into the daemon: its clock runs DAY_SPEED times as fast from DAY_START on. Nothing else of it is changed.
import { systemClock } from '../../dist/shared/clock.js';
import { scaledClock } from './scale.mjs';

Object.assign(systemClock, scaledClock(systemClock));
