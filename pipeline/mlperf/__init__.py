"""MLPerf Tiny: its data sets, its sessions, its scores and its result files."""
