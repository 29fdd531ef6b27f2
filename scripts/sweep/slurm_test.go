package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/sweep"
)

// slurmConf is a cluster of one node, this machine, without cgroups, accounts
// and daemons of the system.
const slurmConf = `ClusterName=solo
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=%[2]d
SlurmdPort=%[3]d
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket=%[1]s/munge.sock,cred_expire=5
SlurmUser=root
SlurmdUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
KillWait=10
ReturnToService=2
StateSaveLocation=%[1]s/state
SlurmdSpoolDir=%[1]s/spool
SlurmctldPidFile=%[1]s/slurmctld.pid
SlurmdPidFile=%[1]s/slurmd.pid
SlurmctldLogFile=%[1]s/slurmctld.log
SlurmdLogFile=%[1]s/slurmd.log
NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE
`

// slurm is a cluster of one node for the time of a test.
type slurm struct{ dir string }

func startSlurm(t *testing.T) slurm {
	t.Helper()
	for _, name := range []string{"sbatch", "squeue", "scancel", "slurmctld", "slurmd", "munged"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("no Slurm here: apt-get install --no-install-recommends slurm-wlm munge")
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("this one-node cluster runs its daemons as root")
	}
	dir, err := os.MkdirTemp("", "slurm") // short: a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := slurm{dir}
	for _, folder := range []string{"state", "spool"} {
		if err := os.Mkdir(s.path(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.path("slurm.conf"), fmt.Appendf(nil, slurmConf, dir, freePort(t), freePort(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path("munge.key"), []byte(strings.Repeat("a key of this test", 8)), 0o400); err != nil {
		t.Fatal(err)
	}
	s.daemon(t, "munged", "--foreground", "--force", "--key-file="+s.path("munge.key"), "--socket="+s.path("munge.sock"),
		"--pid-file="+s.path("munge.pid"), "--seed-file="+s.path("munge.seed"), "--log-file="+s.path("munge.log"))
	s.await(t, "munge's socket", func() bool { _, err := os.Stat(s.path("munge.sock")); return err == nil })
	s.daemon(t, "slurmctld", "-D", "-f", s.path("slurm.conf"))
	s.daemon(t, "slurmd", "-D", "-N", "localhost", "-f", s.path("slurm.conf"))
	s.await(t, "an idle node", func() bool { return strings.Contains(s.say("sinfo", "-h", "-o", "%T"), "idle") })
	return s
}

// freePort is one at which nobody listens, below those that the system gives to whoever
// wants any.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func (s slurm) path(name string) string { return filepath.Join(s.dir, name) }

// daemon runs until the end of the test.
func (s slurm) daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// await asks for something every few milliseconds until it is so, for some minutes at
// most.
func (s slurm) await(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(s.path("slurmctld.log"))
			t.Fatalf("waited in vain for %s; the controller's log ends: %s", what, text[max(0, len(text)-2000):])
		case <-ticker.C:
		}
	}
}

// say runs one of Slurm's commands and returns all that it says.
func (s slurm) say(name string, args ...string) string {
	cmd := exec.Command(name, args...)
	cmd.Env = append(clitest.Command().Env, "SLURM_CONF="+s.path("slurm.conf"), "SWEEP="+os.Args[0])
	out, _ := cmd.CombinedOutput() // what it says tells more than its code
	return string(out)
}

// submit submits the array that is shipped, and returns its job's number.
func (s slurm) submit(t *testing.T, args ...string) string {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(deploy, "slurm.sbatch"))
	if err != nil {
		t.Fatal(err)
	}
	said := s.say("sbatch", append([]string{"--cpus-per-task=1", "--mem-per-cpu=0", "--array=1-3", "--output=" + s.path("task-%a.log"), script}, args...)...)
	match := regexp.MustCompile(`Submitted batch job (\d+)`).FindStringSubmatch(said)
	if match == nil {
		t.Fatalf("sbatch says %q", said)
	}
	return match[1]
}

// finish waits for the end of a job.
func (s slurm) finish(t *testing.T, job string) {
	t.Helper()
	s.await(t, "the end of job "+job, func() bool { return strings.TrimSpace(s.say("squeue", "-h", "-j", job)) == "" })
}

// The array makes what one process makes, and after a cancellation goes on.
func TestSlurmArray(t *testing.T) {
	if testing.Short() {
		t.Skip("a cluster takes ten seconds: without -short")
	}
	cluster := startSlurm(t)
	config, out := configuration(t), ""
	log := func() string {
		var text strings.Builder
		for i := 1; i <= 3; i++ {
			part, _ := os.ReadFile(cluster.path(fmt.Sprintf("task-%d.log", i)))
			text.Write(part)
		}
		return text.String()
	}
	var array []string // its arguments
	counts := &sweep.Counts{}
	for try := 0; try < 10 && counts.Interrupted == 0; try++ { // the runs may be done before the signal comes
		out = filepath.Join(t.TempDir(), "out")
		array = []string{config, out, "-backend", "go", "-steps", "6000"}
		job := cluster.submit(t, array...)
		cluster.await(t, "a run under way", func() bool {
			counts, err := sweep.Status(out)
			return err == nil && counts.Running+counts.Done > 0
		})
		cluster.say("scancel", "--batch", "--signal=TERM", job)
		cluster.finish(t, job)
		var err error
		if counts, err = sweep.Status(out); err != nil {
			t.Fatalf("%v\n%s", err, log())
		}
	}
	if counts.Interrupted == 0 || counts.Failed+counts.Running > 0 || !strings.Contains(log(), "sweep: interrupted") {
		t.Errorf("after TERM: counts %+v, log:\n%s", counts, log())
	}
	cluster.finish(t, cluster.submit(t, array...))
	execute(t, 0, "4 of 4 runs", "merge", "-out", out)
	got := readCSV(t, filepath.Join(out, sweep.ResultsFile))

	alone := filepath.Join(t.TempDir(), "alone")
	execute(t, 0, "4 runs made", "run", "-config", config, "-out", alone, "-backend", "go", "-steps", "6000")
	if want := readCSV(t, filepath.Join(alone, sweep.ResultsFile)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the array's results\n%v\ndiffer from one process's\n%v", got, want)
	}
}
