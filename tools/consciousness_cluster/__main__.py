from consciousness_cluster.cli import main

raise SystemExit(main())
