"""Facts of FATE: releases, their modules and combinations, the endpoints of each engine."""
